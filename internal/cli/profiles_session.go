package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

// registerPortal adds the flags that describe a session which is not configured yet, so that one command is enough.
func (o *profilesSyncOptions) registerPortal(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.portal.startURL, "sso-start-url", "", "`address` of the access portal, of a session that is not configured yet and is written, too")
	flags.StringVar(&o.portal.ssoRegion, "sso-region", "", "`region` of IAM Identity Center, of a session that is not configured yet")
	_ = cmd.RegisterFlagCompletionFunc("sso-region", o.app.completeRegions)
	o.portal.given = flags.Changed
}

// find returns the session that the run is about. One that the flags describe and the file does not have is marked in o
// as unwritten: it is used as it is, and written with the profiles, so that a sign-in that fails leaves nothing.
func (o *profilesSyncOptions) find(ctx context.Context) (target, error) {
	a := o.app
	cfg, err := a.config()
	if err != nil {
		return target{}, err
	}
	urlGiven, regionGiven := o.portal.given("sso-start-url"), o.portal.given("sso-region")
	if !urlGiven && !regionGiven {
		if profile, _ := a.activeProfile(); profile == "" && o.ssoSession == "" && len(cfg.Sessions()) == 0 {
			return target{}, fault.New(fault.Config, "run: homing configure sso; or add the flags: --sso-start-url URL --sso-region REGION",
				"no session is configured in %q", a.configFile())
		}
		return a.target(ctx, o.ssoSession)
	}
	if regionGiven && checkRegion(strings.TrimSpace(o.portal.ssoRegion)) != "" {
		return target{}, fault.New(fault.Usage, "give another value: --sso-region REGION", "--sso-region %q is not a region such as eu-west-1", o.portal.ssoRegion)
	}
	there := o.ssoSession != "" && a.hasSession(o.ssoSession)
	if !urlGiven && (there || o.ssoSession == "") {
		t, err := a.target(ctx, o.ssoSession)
		if err != nil {
			return t, err
		}
		return t, o.agrees(t.session)
	}
	s := session.Session{Name: o.ssoSession}
	if s.StartURL, err = a.askStartURL(ctx, &o.portal, ""); err != nil {
		return target{}, err
	}
	if s.Name == "" {
		if s.Name, err = o.standing(cfg, s.StartURL); err != nil {
			return target{}, err
		}
		there = s.Name != ""
	}
	if there {
		if s, err = cfg.Session(s.Name); err != nil {
			return target{}, err
		}
		return target{session: s}, o.agrees(s)
	}
	if !regionGiven {
		s.Region, _ = a.regionOf(ctx, s.StartURL)
	}
	if s.Region == "" {
		if s.Region, err = a.askSSORegion(ctx, &o.portal, s.StartURL, ""); err != nil {
			return target{}, err
		}
	}
	s.Scopes = []string{session.DefaultScope}
	if s.Name == "" {
		s.Name = sessionName(s, cfg.SessionNames())
	}
	if err := awsconfig.ValidName(s.Name); err != nil {
		return target{}, err
	}
	o.unwritten = true
	return target{session: s}, nil
}

// standing returns the name of the [sso-session] of a start URL, "" where there is none: a second run finds what the
// first one wrote.
func (o *profilesSyncOptions) standing(cfg *awsconfig.Config, startURL string) (string, error) {
	var names []string
	for _, s := range cfg.Sessions() {
		if !s.Legacy() && sameStart(s.StartURL, startURL) {
			names = append(names, s.Name)
		}
	}
	switch len(names) {
	case 0:
		return "", nil
	case 1:
		return names[0], nil
	}
	return "", fault.New(fault.Usage, "add the flag: --sso-session NAME", "there are %d sessions of --sso-start-url %q: %s",
		len(names), startURL, strings.Join(names, ", "))
}

// agrees refuses flags that say something else than what is configured: profiles and a token stand on that.
func (o *profilesSyncOptions) agrees(s session.Session) error {
	for _, v := range []struct {
		flag, key, given, have string
		same                   func(a, b string) bool
	}{
		{"sso-start-url", "sso_start_url", o.portal.startURL, s.StartURL, sameStart},
		{"sso-region", "sso_region", o.portal.ssoRegion, s.Region, func(a, b string) bool { return a == b }},
	} {
		if given := strings.TrimSpace(v.given); o.portal.given(v.flag) && !v.same(given, v.have) {
			return fault.New(fault.Config, "to keep what is configured, leave the flag out; to change it, run: "+o.app.configureCommand(s),
				"%s is configured in %q with %s %q, not with %q; nothing was changed", s.InWords(), o.app.configFile(), v.key, v.have, given)
		}
	}
	return nil
}

// withSession returns src with the session that the run writes, and the edit for that: none where src has one of that
// name, be it that another program wrote it meanwhile.
func (o *profilesSyncOptions) withSession(path string, src []byte, s session.Session) ([]byte, []awsconfig.Edit, error) {
	if !o.unwritten || slices.Contains(awsconfig.Parse(path, src).SessionNames(), s.Name) {
		return src, nil, nil
	}
	edit := sessionEdit(s)
	after, err := awsconfig.Preview(path, src, edit)
	return after, []awsconfig.Edit{edit}, err
}

// again gives an error a hint that can be followed while the session is in no file: "homing login" would not know it.
func (o *profilesSyncOptions) again(err error) error {
	hint := fault.HintOf(err)
	if !o.unwritten || !strings.Contains(hint, "homing login") && !strings.Contains(hint, "homing configure") {
		return err
	}
	words := []string{"homing"}
	for _, arg := range o.app.env.Args {
		words = append(words, argument(arg))
	}
	if !o.login {
		words = append(words, "--login")
	}
	before := "run: "
	switch {
	case strings.Contains(hint, "homing configure"):
		before = "check --sso-start-url and --sso-region, then run: "
	case strings.HasSuffix(hint, " --use-device-code"), strings.Contains(hint, " --flow device"):
		before = "set HOMING_FLOW to device, then run: "
	case strings.Contains(hint, " --flow pkce"):
		before = "set HOMING_FLOW to pkce, then run: "
	case strings.HasPrefix(hint, "to try again, "):
		before = "to try again, run: "
	}
	return &fault.Error{Kind: fault.KindOf(err), Msg: err.Error(), Hint: before + strings.Join(words, " "), Err: err}
}
