package profiles

import (
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

// registerPortal adds the flags that describe a session which is not configured yet, so that one command is enough.
func (o *syncOptions) registerPortal(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.portal.StartURL, "sso-start-url", "", "`address` of the access portal, of a session that is not configured yet and is written, too")
	flags.StringVar(&o.portal.SSORegion, "sso-region", "", "`region` of IAM Identity Center, of a session that is not configured yet")
	_ = cmd.RegisterFlagCompletionFunc("sso-region", o.App.CompleteRegions)
	o.portal.Given = flags.Changed
}

// find returns the session that the run is about. One that the flags describe and the file does not have is marked in o
// as unwritten: it is used as it is, and written with the profiles, so that a sign-in that fails leaves nothing.
func (o *syncOptions) find(ctx context.Context) (app.Target, error) {
	a := o.App
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
		return app.Target{}, fault.New(fault.Usage, "give another value: --sso-region REGION", "--sso-region %q is not a region such as eu-west-1", o.portal.SSORegion)
	}
	there := o.ssoSession != "" && a.HasSession(o.ssoSession)
	if !urlGiven && (there || o.ssoSession == "") {
		t, err := a.Target(ctx, o.ssoSession)
		if err != nil {
			return t, err
		}
		return t, o.agrees(t.Session)
	}
	s := session.Session{Name: o.ssoSession}
	if s.StartURL, err = answer.AskStartURL(ctx, a, &o.portal, ""); err != nil {
		return app.Target{}, err
	}
	if s.Name == "" {
		if s.Name, err = o.standing(cfg, s.StartURL); err != nil {
			return app.Target{}, err
		}
		there = s.Name != ""
	}
	if there {
		if s, err = cfg.Session(s.Name); err != nil {
			return app.Target{}, err
		}
		return app.Target{Session: s}, o.agrees(s)
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
	if err := awsconfig.ValidName(s.Name); err != nil {
		return app.Target{}, err
	}
	o.unwritten = true
	return app.Target{Session: s}, nil
}

// standing returns the name of the [sso-session] of a start URL, "" where there is none: a second run finds what the
// first one wrote.
func (o *syncOptions) standing(cfg *awsconfig.Config, startURL string) (string, error) {
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
	return "", fault.New(fault.Usage, "add the flag: --sso-session NAME", "there are %d sessions of --sso-start-url %q: %s",
		len(names), startURL, strings.Join(names, ", "))
}

// agrees refuses flags that say something else than what is configured: profiles and a token stand on that.
func (o *syncOptions) agrees(s session.Session) error {
	for _, v := range []struct {
		flag, key, given, have string
		same                   func(a, b string) bool
	}{
		{"sso-start-url", "sso_start_url", o.portal.StartURL, s.StartURL, app.SamePortal},
		{"sso-region", "sso_region", o.portal.SSORegion, s.Region, func(a, b string) bool { return a == b }},
	} {
		if given := strings.TrimSpace(v.given); o.portal.Given(v.flag) && !v.same(given, v.have) {
			return fault.Suggest(fault.Config, fault.Preface{Words: "to keep what is configured, leave the flag out; to change it,", Then: o.App.Configure(s)},
				"%s is configured in %q with %s %q, not with %q; nothing was changed", s.InWords(), o.App.ConfigFile(), v.key, v.have, given)
		}
	}
	return nil
}

// withSession returns src with the session that the run writes, and the edit for that: none where src has one of that
// name, be it that another program wrote it meanwhile.
func (o *syncOptions) withSession(path string, src []byte, s session.Session) ([]byte, []awsconfig.Edit, error) {
	if !o.unwritten || slices.Contains(awsconfig.Parse(path, src).SessionNames(), s.Name) {
		return src, nil, nil
	}
	edit := answer.SessionEdit(s)
	after, err := awsconfig.Preview(path, src, edit)
	return after, []awsconfig.Edit{edit}, err
}

// again gives an error a remedy that works while the session is in no file: login would not know it.
func (o *syncOptions) again(err error) error {
	if !o.unwritten {
		return err
	}
	again := append(fault.Run{"homing"}, o.App.Env.Args...)
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
	return &fault.Error{Kind: fault.KindOf(err), Msg: err.Error(), Remedy: remedy, Err: err}
}
