package configure

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type ssoOptions struct {
	app *app.App
	answer.SessionFlags
	interactive.Flags
	accountID, roleName, output string
	upgrade, yes                bool
}

func newSSO(a *app.App) *cobra.Command {
	o := &ssoOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sso [--upgrade PROFILE…]",
		Short: "Write a profile by answering the AWS CLI's questions, and sign in",
		Long: app.Lines(
			"Asks the questions of aws configure sso, one by one, with current values in brackets: the session, its",
			"start URL, region and scopes; then you sign in and pick an account and a role; then the client region,",
			"the output format and the profile's name. The config file does not change before the last answer.",
			"",
			"Every answer is also a flag, so the command runs without a terminal; it then exits with code 2 if an",
			"answer is missing. An empty session name writes the legacy format, which cannot be renewed.",
			"",
			"--upgrade turns legacy profiles into profiles of an [sso-session]: the one with their start URL and",
			"region, or a new one. It shows the change as a diff and asks first; without a terminal it needs --yes. A",
			"token that can be renewed moves to the session, so you stay signed in.",
		),
		Example: app.Lines(
			"  homing configure sso",
			"  homing configure sso --upgrade legacy",
			"  homing configure sso --profile dev --sso-session dev \\",
			"    --sso-start-url https://d-1234567890.awsapps.com/start --sso-region us-east-1 \\",
			"    --sso-account-id 111122223333 --sso-role-name Admin",
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.upgrade {
				return a.Report(o.runUpgrade(cmd, args))
			}
			if o.Given("yes") {
				return fault.New(fault.Usage, app.HelpHint(cmd), "--yes needs --upgrade")
			}
			if err := o.Validate(cmd); err != nil {
				return err
			}
			return a.Report(o.run(cmd.Context()))
		},
	}
	o.SessionFlags.Register(cmd, a)
	o.Flags.Register(cmd)
	o.registerUpgrade(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.accountID, "sso-account-id", "", "`number` of the account")
	flags.StringVar(&o.roleName, "sso-role-name", "", "`name` of the role (permission set)")
	flags.StringVar(&o.output, "output", "",
		"output `format` of the AWS CLI: "+strings.Join(answer.OutputFormats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("sso-account-id", a.CompleteAccounts)
	_ = cmd.RegisterFlagCompletionFunc("sso-role-name", a.CompleteRoles)
	app.CompleteFixed(cmd, "output", answer.OutputFormats...)
	return cmd
}

// plan holds the answers so far.
type plan struct {
	session         session.Session
	newSession      bool   // session is not in the config file yet
	accountID, role string // both empty if the service refused to list them
	region, output  string
	profile         string
	existing        awsconfig.Profile // profile as the config file has it; see exists
	exists          bool
}

func (o *ssoOptions) run(ctx context.Context) error {
	a := o.app
	a.AsksLater = true
	cfg, err := a.Config()
	if err != nil {
		return err
	}
	var p plan
	active, origin := a.ActiveProfile()
	if origin != app.VarProfile { // exec sets that variable; it does not ask for a change of the profile
		p.profile = active
	}
	if p.profile != "" {
		if err := configedit.ValidName(p.profile); err != nil {
			return err
		}
		if problem := o.checkCredentials(p.profile); problem != "" {
			return fault.New(fault.Config, "choose another name: --profile NAME", "%s", problem)
		}
		p.existing, p.exists = cfg.Profile(p.profile)
	}
	if o.Given("output") {
		if err := answer.RefuseOutput(o.output); err != nil {
			return err
		}
	}
	if err := answer.RefuseRegion(a.Flags.Region); err != nil {
		return err
	}
	if err := o.askSession(ctx, &p); err != nil {
		return err
	}
	result, err := interactive.SignIn(ctx, a, p.session, o.Flags, p.newSession)
	if err != nil {
		return o.suggestConfigure(err, p)
	}
	err = o.askAccountAndRole(ctx, &p, result.Token.AccessToken)
	reused := result.Channel == session.Cached || result.Channel == session.Renewed
	if idc.CodeOf(err) == idc.CodeUnauthorized && reused {
		// The service has ended the session of a token that looked valid.
		if result, err = interactive.SignIn(ctx, a, p.session, o.Flags, true); err != nil {
			return err
		}
		err = o.askAccountAndRole(ctx, &p, result.Token.AccessToken)
	}
	if idc.CodeOf(err) == idc.CodeUnauthorized && o.accountID == "" {
		a.UI.Say("Unable to list AWS accounts and/or roles. " +
			"Skipping configuring AWS credential provider for profile.\n")
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
	return o.report(p)
}

// suggestConfigure replaces a remedy to log in, which cannot work: the session is not in the config file yet.
func (o *ssoOptions) suggestConfigure(err error, p plan) error {
	remedy := fault.RemedyOf(err)
	login, ok := fault.Action(remedy).(fault.Login)
	if !ok || !p.newSession && !p.session.Legacy() {
		return err
	}
	configure := fault.Run{"homing", "configure", "sso"}
	if name := o.app.Flags.Profile; name != "" {
		configure = append(configure, "--profile", name)
	}
	if login.Flow == session.Device {
		configure = append(configure, "--use-device-code")
	}
	remedy = fault.WithAction(remedy, configure)
	return fault.WithRemedy(err, remedy)
}

// current returns a value of the profile in the config file; it is empty if there is none.
func (p *plan) current(key string) string {
	if !p.exists {
		return ""
	}
	return p.existing.Get(key)
}

// askSession sets the session of p: a configured one unchanged, a new one, or a legacy start URL.
func (o *ssoOptions) askSession(ctx context.Context, p *plan) error {
	a := o.app
	name := prompt.Question{Text: "SSO session name", Current: p.current("sso_session"), Flag: "--sso-session NAME"}
	name.Check = func(text string) string {
		if text == "" || a.HasSession(text) {
			return ""
		}
		return answer.CheckName(text)
	}
	if name.Current == "" {
		name.Text, name.Bare = "SSO session name (Recommended)", true
		if !a.Interactive() && !o.Given("sso-session") {
			return prompt.Missing(`--sso-session NAME (an empty NAME, "", is the legacy format)`)
		}
	}
	given, err := answer.Get(ctx, a, o.Given("sso-session"), o.SSOSession, name)
	if err != nil {
		return err
	}
	switch {
	case given == "":
		a.UI.Strong("WARNING: Configuring using legacy format (e.g. without an SSO session).\n" +
			"Consider re-running \"configure sso\" command and providing a session name.\n")
	case a.HasSession(given):
		if p.session, err = a.Loaded.Session(given); err != nil {
			return err
		}
		return o.CheckAgainst(p.session)
	default:
		p.newSession = true
	}
	p.session.Name = given
	startURL, err := answer.AskStartURL(ctx, a, &o.SessionFlags, p.current("sso_start_url"))
	if err != nil {
		return err
	}
	p.session.StartURL = startURL
	p.session.Region, err = answer.AskSSORegion(ctx, a, &o.SessionFlags, startURL, p.current("sso_region"))
	if err != nil {
		return err
	}
	if p.session.Legacy() {
		return nil
	}
	p.session.Scopes, err = answer.AskScopes(ctx, a, &o.SessionFlags, nil)
	return err
}

// askProfile sets the client region, the output format and the name of the profile.
func (o *ssoOptions) askProfile(ctx context.Context, p *plan) error {
	a := o.app
	region := p.current("region")
	if region == "" {
		// Without a region the AWS CLI asks the instance metadata service, and in a codespace that is Azure's.
		region = p.session.Region
	}
	var err error
	p.region, err = answer.Get(ctx, a, a.Flags.Region != "", a.Flags.Region, prompt.Question{
		Text: "Default client Region", Current: region, Flag: "--region REGION", Check: answer.CheckRegion,
	})
	if err != nil {
		return err
	}
	p.output, err = answer.Get(ctx, a, o.Given("output"), o.output, prompt.Question{
		Text: "CLI default output format (json if not specified)", Current: p.current("output"),
		Flag: "--output FORMAT", Check: answer.CheckOutput,
	})
	if err != nil || p.profile != "" {
		return err
	}
	suggestion := ""
	if p.accountID != "" && p.role != "" {
		suggestion = answer.ProfileName(p.role + "-" + p.accountID)
	}
	p.profile, err = prompt.Ask(ctx, a, prompt.Question{
		Text: "Profile name", Current: suggestion, Flag: "--profile NAME",
		Check: func(text string) string { return cmp.Or(answer.CheckName(text), o.checkCredentials(text)) },
	})
	return err
}

// checkCredentials returns why a profile cannot have SSO settings, as a sentence; it is empty if it can. SDKs disagree
// about a profile that also has other credentials.
func (o *ssoOptions) checkCredentials(name string) string {
	p, ok := o.app.Loaded.Profile(name)
	if !ok {
		return ""
	}
	for _, key := range []string{"aws_access_key_id", "credential_process", "role_arn", "login_session"} {
		if p.Get(key) != "" {
			return fmt.Sprintf("profile %q already gets its credentials from %s", name, key)
		}
	}
	return ""
}

// write saves the profile, and a new session with it, in one edit of the config file.
func (o *ssoOptions) write(ctx context.Context, p plan) error {
	paths, err := o.app.Paths()
	if err != nil {
		return err
	}
	profile := configedit.Edit{Section: configedit.Section{Type: "profile", Name: p.profile}}
	set := func(key, value string) {
		if value != "" {
			profile.Set = append(profile.Set, configedit.KeyValue{Key: key, Value: value})
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
	edits := []configedit.Edit{profile}
	if p.newSession {
		edits = append(edits, answer.SessionEdit(p.session))
	}
	return configedit.Update(ctx, paths.Config, edits...)
}

// contradictions lists the profile's own keys, left from the legacy format, that differ from the session's. botocore
// refuses a profile with such keys.
func (o *ssoOptions) contradictions(p plan) []string {
	existing, ok := o.app.Loaded.Profile(p.profile)
	if !ok {
		return nil
	}
	var keys []string
	for key, value := range map[string]string{
		"sso_start_url": p.session.StartURL, "sso_region": p.session.Region,
		"sso_registration_scopes": strings.Join(p.session.Scopes, ","),
	} {
		if have := existing.Get(key); have != "" && have != value {
			keys = append(keys, key)
		}
	}
	return keys
}

// report prints the result, in the words of the AWS CLI.
func (o *ssoOptions) report(p plan) error {
	u := o.app.UI
	interactive.WarnStaticKeys(o.app)
	switch {
	case u.JSON:
		c := ui.Configured{
			Event: "configured", Profile: p.profile, SSOSession: p.session.Name,
			AccountID: p.accountID, RoleName: p.role, Region: p.region,
		}
		if p.session.Legacy() {
			c.StartURL = p.session.StartURL
		}
		return u.Event(c)
	case p.accountID == "" || p.role == "":
		u.Answer("Successfully configured SSO for profile: %s\n", p.profile)
		if !p.session.Legacy() && len(o.app.RolesOf(p.session)) == 0 {
			interactive.SayNext(o.app, app.Target{Session: p.session})
		}
	case p.profile == "default":
		u.Answer("The AWS CLI is now configured to use the default profile.\n"+
			"Run the following command to verify your configuration:\n\n%s\n",
			u.Command(interactive.CallerIdentity(p.profile)))
	default:
		u.Answer("To use this profile, specify the profile name using --profile, as shown:\n\n%s\n",
			u.Command(interactive.CallerIdentity(p.profile)))
	}
	return nil
}
