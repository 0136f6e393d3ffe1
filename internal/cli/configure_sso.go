package cli

import (
	"context"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/spf13/cobra"
)

type configureSSOOptions struct {
	app *app
	sessionAnswers
	flowFlags
	accountID, roleName, output string
	upgrade, yes                bool
}

func newConfigureSSOCmd(a *app) *cobra.Command {
	o := &configureSSOOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sso [--upgrade PROFILE…]",
		Short: "Write a profile by answering the AWS CLI's questions, and sign in",
		Long: lines(
			"Asks what aws configure sso asks, question for question, with present values in brackets: the session, its",
			"start URL, region and scopes; then you sign in and pick an account and a role; then the client region, the",
			"output format and the profile's name. Nothing is written to the config file before the last answer.",
			"",
			"Every answer is also a flag, so it runs without a terminal; an answer that is missing then is exit code 2.",
			"An empty session name writes the legacy format, which cannot be renewed.",
			"",
			"--upgrade turns legacy profiles into profiles of an [sso-session]: the one with their start URL and region, or a new",
			"one. It shows the change as a diff and asks; without a terminal it needs --yes. A token that can be renewed moves to",
			"the session, so that nobody signs in again.",
		),
		Example: lines(
			"  homing configure sso",
			"  homing configure sso --upgrade legacy",
			"  homing configure sso --profile dev --sso-session dev --sso-start-url https://d-1234567890.awsapps.com/start \\",
			"    --sso-region us-east-1 --sso-account-id 111122223333 --sso-role-name Admin",
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.upgrade {
				return a.reporting(o.runUpgrade(cmd, args))
			}
			if o.given("yes") {
				return fault.New(fault.Usage, helpHint(cmd), "--yes is of no use without --upgrade")
			}
			if err := o.validate(cmd); err != nil {
				return err
			}
			return a.reporting(o.run(cmd.Context()))
		},
	}
	o.sessionAnswers.register(cmd, a)
	o.flowFlags.register(cmd)
	o.registerUpgrade(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.accountID, "sso-account-id", "", "`number` of the account")
	flags.StringVar(&o.roleName, "sso-role-name", "", "`name` of the role (permission set)")
	flags.StringVar(&o.output, "output", "", "output `format` of the AWS CLI: "+strings.Join(outputFormats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("sso-account-id", a.completeAccounts)
	_ = cmd.RegisterFlagCompletionFunc("sso-role-name", a.completeRoles)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// plan is what the wizard has found out so far.
type plan struct {
	session           session.Session
	newSession        bool
	accountID, role   string
	region, output    string
	profile           string
	currentProfile    awsconfig.Profile
	hasCurrentProfile bool
}

func (o *configureSSOOptions) run(ctx context.Context) error {
	a := o.app
	a.asksLater = true
	cfg, err := a.config()
	if err != nil {
		return err
	}
	var p plan
	active, origin := a.activeProfile()
	if origin != varProfile { // which nobody has named in order to change it
		p.profile = active
	}
	if p.profile != "" {
		if err := awsconfig.ValidName(p.profile); err != nil {
			return err
		}
		if problem := o.occupied(p.profile); problem != "" {
			return fault.New(fault.Config, "choose another name: --profile NAME", "%s", problem)
		}
		p.currentProfile, p.hasCurrentProfile = cfg.Profile(p.profile)
	}
	if o.given("output") {
		if problem := checkOutput(o.output); problem != "" {
			return fault.New(fault.Usage, "use one of: "+strings.Join(outputFormats, ", "), "--output %q is not an output format", o.output)
		}
	}
	if a.flags.region != "" && checkRegion(a.flags.region) != "" {
		return fault.New(fault.Usage, "give a region such as: --region eu-west-1", "--region %q is not a region", a.flags.region)
	}
	if err := o.askSession(ctx, &p); err != nil {
		return err
	}
	result, err := a.signIn(ctx, p.session, o.flowFlags, p.newSession)
	if err != nil {
		return o.again(err, p)
	}
	err = o.askAccountAndRole(ctx, &p, result.Token.AccessToken)
	if idc.CodeOf(err) == idc.CodeUnauthorized && (result.Channel == signin.Cached || result.Channel == signin.Refresh) {
		// The token looked good, and the service knows better.
		if result, err = a.signIn(ctx, p.session, o.flowFlags, true); err != nil {
			return err
		}
		err = o.askAccountAndRole(ctx, &p, result.Token.AccessToken)
	}
	if idc.CodeOf(err) == idc.CodeUnauthorized && o.accountID == "" {
		a.ui.say("Unable to list AWS accounts and/or roles. Skipping configuring AWS credential provider for profile.\n")
		p.accountID, p.role, err = "", "", nil
	}
	if err != nil {
		return err
	}
	if err := o.askProfile(ctx, &p); err != nil {
		return err
	}
	if err := o.write(ctx, p); err != nil {
		return err
	}
	return o.conclude(p)
}

// again replaces the command of a hint that would lead to a session which is in no file yet.
func (o *configureSSOOptions) again(err error, p plan) error {
	before, flags, found := strings.Cut(fault.HintOf(err), "run: homing login")
	if !found || !p.newSession && !p.session.Legacy() {
		return err
	}
	hint := before + "run: homing configure sso"
	if name := o.app.flags.profile; name != "" {
		hint += " --profile " + name
	}
	if flag := " --use-device-code"; strings.HasSuffix(flags, flag) {
		hint += flag
	}
	return &fault.Error{Kind: fault.KindOf(err), Msg: err.Error(), Hint: hint, Err: err}
}

// current is a present value of the profile, "" where there is none.
func (p *plan) current(key string) string {
	if !p.hasCurrentProfile {
		return ""
	}
	return p.currentProfile.Get(key)
}

// askSession finds the session: an existing one as it is, a new one, or a legacy start URL.
func (o *configureSSOOptions) askSession(ctx context.Context, p *plan) error {
	a := o.app
	name := question{text: "SSO session name", current: p.current("sso_session"), flag: "--sso-session NAME"}
	name.check = func(text string) string {
		if text == "" || a.hasSession(text) {
			return ""
		}
		return checkName(text)
	}
	if name.current == "" {
		name.text, name.bare = "SSO session name (Recommended)", true
		if !a.interactive() && !o.given("sso-session") {
			return missing(`--sso-session NAME (an empty NAME, "", is the legacy format)`)
		}
	}
	given, err := a.answer(ctx, o.given("sso-session"), o.ssoSession, name)
	if err != nil {
		return err
	}
	switch {
	case given == "":
		a.ui.strong("WARNING: Configuring using legacy format (e.g. without an SSO session).\n" +
			"Consider re-running \"configure sso\" command and providing a session name.\n")
	default:
		if a.hasSession(given) {
			if p.session, err = a.cfg.Session(given); err != nil {
				return err
			}
			return o.sameAs(p.session)
		}
		p.newSession = true
	}
	p.session.Name = given
	if p.session.StartURL, err = a.askStartURL(ctx, &o.sessionAnswers, p.current("sso_start_url")); err != nil {
		return err
	}
	if p.session.Region, err = a.askSSORegion(ctx, &o.sessionAnswers, p.session.StartURL, p.current("sso_region")); err != nil {
		return err
	}
	if p.session.Legacy() {
		return nil
	}
	p.session.Scopes, err = a.askScopes(ctx, &o.sessionAnswers, nil)
	return err
}

// askProfile asks what is left: client region, output format, the profile's name.
func (o *configureSSOOptions) askProfile(ctx context.Context, p *plan) error {
	a := o.app
	region := p.current("region")
	if region == "" {
		// Without a region the AWS CLI asks the instance metadata service, which in a codespace is Azure's.
		region = p.session.Region
	}
	var err error
	p.region, err = a.answer(ctx, a.flags.region != "", a.flags.region, question{
		text: "Default client Region", current: region, flag: "--region REGION", check: checkRegion,
	})
	if err != nil {
		return err
	}
	p.output, err = a.answer(ctx, o.given("output"), o.output, question{
		text: "CLI default output format (json if not specified)", current: p.current("output"), flag: "--output FORMAT", check: checkOutput,
	})
	if err != nil || p.profile != "" {
		return err
	}
	suggestion := ""
	if p.accountID != "" && p.role != "" {
		suggestion = profileName(p.role + "-" + p.accountID)
	}
	p.profile, err = a.ask(ctx, question{text: "Profile name", current: suggestion, flag: "--profile NAME", check: func(text string) string {
		if problem := checkName(text); problem != "" {
			return problem
		}
		return o.occupied(text)
	}})
	return err
}

// occupied says why a profile must not get SSO settings: the SDKs resolve a mixture in different orders.
func (o *configureSSOOptions) occupied(name string) string {
	p, ok := o.app.cfg.Profile(name)
	if !ok {
		return ""
	}
	for _, key := range []string{"aws_access_key_id", "credential_process", "role_arn", "login_session"} {
		if p.Get(key) != "" {
			return "profile \"" + name + "\" gets its credentials by " + key + " already"
		}
	}
	return ""
}

// profileName makes a usable name of a role's: some characters of role names break one tool or another.
func profileName(s string) string {
	return strings.Map(func(r rune) rune {
		if awsconfig.ValidName(string(r)) != nil {
			return '-'
		}
		return r
	}, s)
}

func (o *configureSSOOptions) write(ctx context.Context, p plan) error {
	paths, err := o.app.paths()
	if err != nil {
		return err
	}
	profile := awsconfig.Edit{Section: awsconfig.Section{Type: "profile", Name: p.profile}}
	set := func(key, value string) {
		if value != "" {
			profile.Set = append(profile.Set, awsconfig.KeyValue{Key: key, Value: value})
		}
	}
	if p.session.Legacy() {
		profile.Unset = []string{"sso_session"}
		set("sso_start_url", p.session.StartURL)
		set("sso_region", p.session.Region)
	} else {
		profile.Unset = o.contradictions(p)
		set("sso_session", p.session.Name)
	}
	set("sso_account_id", p.accountID)
	set("sso_role_name", p.role)
	set("region", p.region)
	set("output", p.output)
	edits := []awsconfig.Edit{profile}
	if p.newSession {
		edits = append(edits, sessionEdit(p.session))
	}
	return awsconfig.Update(ctx, paths.Config, edits...)
}

// contradictions are keys of an earlier, legacy form of the profile that differ from the session's: botocore then
// refuses the profile.
func (o *configureSSOOptions) contradictions(p plan) []string {
	existing, ok := o.app.cfg.Profile(p.profile)
	if !ok {
		return nil
	}
	var keys []string
	for key, value := range map[string]string{
		"sso_start_url": p.session.StartURL, "sso_region": p.session.Region, "sso_registration_scopes": strings.Join(p.session.Scopes, ","),
	} {
		if have := existing.Get(key); have != "" && have != value {
			keys = append(keys, key)
		}
	}
	return keys
}

// conclude prints the AWS CLI's last words.
func (o *configureSSOOptions) conclude(p plan) error {
	u := o.app.ui
	o.app.warnStaticKeys()
	switch {
	case u.json:
		c := configured{Event: "configured", Profile: p.profile, SSOSession: p.session.Name, AccountID: p.accountID, RoleName: p.role, Region: p.region}
		if p.session.Legacy() {
			c.StartURL = p.session.StartURL
		}
		return u.event(c)
	case p.accountID == "" || p.role == "":
		u.answer("Successfully configured SSO for profile: %s\n", p.profile)
		if !p.session.Legacy() && len(o.app.rolesOf(p.session)) == 0 {
			o.app.sayNext(target{session: p.session})
		}
	case p.profile == "default":
		u.answer("The AWS CLI is now configured to use the default profile.\nRun the following command to verify your configuration:\n\n%s\n",
			callerIdentity(p.profile))
	default:
		u.answer("To use this profile, specify the profile name using --profile, as shown:\n\n%s\n", callerIdentity(p.profile))
	}
	return nil
}
