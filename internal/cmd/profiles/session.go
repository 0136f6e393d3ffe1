package profiles

import (
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

// registerPortal adds the flags that describe a session that is not configured yet, so that one command does all.
func (o *syncOptions) registerPortal(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.portal.StartURL, "sso-start-url", "",
		"`address` of the access portal, to configure the session as well")
	flags.StringVar(&o.portal.SSORegion, "sso-region", "",
		"`region` of IAM Identity Center, to configure the session as well")
	_ = cmd.RegisterFlagCompletionFunc("sso-region", o.app.CompleteRegions)
	o.portal.Given = flags.Changed
}

// target returns the session to sync. If the flags describe one that is not in the file, target sets o.unwritten: the
// run writes the session together with the profiles, so a sign-in that fails leaves nothing behind.
func (o *syncOptions) target(ctx context.Context) (app.Target, error) {
	a := o.app
	cfg, err := a.Config()
	if err != nil {
		return app.Target{}, err
	}
	urlGiven, regionGiven := o.portal.Given("sso-start-url"), o.portal.Given("sso-region")
	if !urlGiven && !regionGiven {
		if profile, _ := a.ActiveProfile(); profile == "" && o.ssoSession == "" && len(cfg.Sessions()) == 0 {
			return app.Target{}, fault.Suggest(fault.Config, fault.Preface{
				Words: "add the flags --sso-start-url URL --sso-region REGION, or", Then: fault.ConfigureSSO{},
			},
				"no session is configured in %q", a.ConfigFile())
		}
		return a.Target(ctx, o.ssoSession)
	}
	if regionGiven && answer.CheckRegion(strings.TrimSpace(o.portal.SSORegion)) != "" {
		return app.Target{}, fault.New(fault.Usage, "give another value: --sso-region REGION",
			"--sso-region %q is not a region such as eu-west-1", o.portal.SSORegion)
	}
	configured := o.ssoSession != "" && a.HasSession(o.ssoSession)
	if !urlGiven && (configured || o.ssoSession == "") {
		t, err := a.Target(ctx, o.ssoSession)
		if err != nil {
			return t, err
		}
		return t, o.checkConfigured(t.Session)
	}
	s := session.Session{Name: o.ssoSession}
	if s.StartURL, err = answer.AskStartURL(ctx, a, &o.portal, ""); err != nil {
		return app.Target{}, err
	}
	if s.Name == "" {
		if s.Name, err = configuredName(cfg, s.StartURL); err != nil {
			return app.Target{}, err
		}
		configured = s.Name != ""
	}
	if configured {
		if s, err = cfg.Session(s.Name); err != nil {
			return app.Target{}, err
		}
		return app.Target{Session: s}, o.checkConfigured(s)
	}
	if !regionGiven {
		s.Region, _ = answer.RegionOf(ctx, a, s.StartURL)
	}
	if s.Region == "" {
		if s.Region, err = answer.AskSSORegion(ctx, a, &o.portal, s.StartURL, ""); err != nil {
			return app.Target{}, err
		}
	}
	s.Scopes = []string{session.DefaultScope}
	if s.Name == "" {
		s.Name = answer.SessionName(s, cfg.SessionNames())
	}
	if err := configedit.ValidName(s.Name); err != nil {
		return app.Target{}, err
	}
	o.unwritten = true
	return app.Target{Session: s}, nil
}

// configuredName returns the name of the [sso-session] with this start URL, "" if there is none. So a second run
// finds the session that the first one wrote.
func configuredName(cfg *awsconfig.Config, startURL string) (string, error) {
	var names []string
	for _, s := range cfg.Sessions() {
		if !s.Legacy() && app.SamePortal(s.StartURL, startURL) {
			names = append(names, s.Name)
		}
	}
	switch len(names) {
	case 0:
		return "", nil
	case 1:
		return names[0], nil
	}
	return "", fault.New(fault.Usage, "add the flag: --sso-session NAME",
		"there are %d sessions of --sso-start-url %q: %s", len(names), startURL, strings.Join(names, ", "))
}

// checkConfigured refuses flags that contradict the configured session: profiles and a token depend on it.
func (o *syncOptions) checkConfigured(s session.Session) error {
	for _, v := range []struct {
		flag, key, given, have string
		same                   func(a, b string) bool
	}{
		{"sso-start-url", "sso_start_url", o.portal.StartURL, s.StartURL, app.SamePortal},
		{"sso-region", "sso_region", o.portal.SSORegion, s.Region, func(a, b string) bool { return a == b }},
	} {
		if given := strings.TrimSpace(v.given); o.portal.Given(v.flag) && !v.same(given, v.have) {
			return fault.Suggest(
				fault.Config,
				fault.Preface{
					Words: "to keep what is configured, leave the flag out; to change it,",
					Then:  o.app.Configure(s),
				},
				"%s is configured in %q with %s %q, not with %q; nothing was changed",
				s.InWords(),
				o.app.ConfigFile(),
				v.key,
				v.have,
				given,
			)
		}
	}
	return nil
}

// addSession returns src with the unwritten session added, and the edit that adds it. If src already has a session of
// that name, perhaps from another program, it returns src and no edit.
func (o *syncOptions) addSession(path string, src []byte, s session.Session) ([]byte, []configedit.Edit, error) {
	if !o.unwritten || slices.Contains(awsconfig.Parse(path, src).SessionNames(), s.Name) {
		return src, nil, nil
	}
	edit := answer.SessionEdit(s)
	after, err := configedit.Preview(path, src, edit)
	return after, []configedit.Edit{edit}, err
}

// retryRemedy gives an error a remedy that works while the session is in no file: login would not know it.
func (o *syncOptions) retryRemedy(err error) error {
	if !o.unwritten {
		return err
	}
	again := append(fault.Run{"homing"}, o.app.Env.Args...)
	if !o.login {
		again = append(again, "--login")
	}
	remedy := fault.RemedyOf(err)
	switch action := fault.Action(remedy).(type) {
	case fault.Login:
		remedy = fault.WithAction(remedy, again)
		if action.Flow != "" {
			remedy = fault.Preface{Words: "set HOMING_FLOW to " + string(action.Flow) + ", then", Then: again}
		}
	case fault.ConfigureSSO, fault.ConfigureSession:
		remedy = fault.Preface{Words: "check --sso-start-url and --sso-region, then", Then: again}
	default:
		return err
	}
	return fault.WithRemedy(err, remedy)
}
