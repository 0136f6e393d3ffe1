package cli

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

type statusOptions struct {
	app        *app
	ssoSession string
	check      bool
	min        time.Duration
}

func newStatusCmd(a *app) *cobra.Command {
	o := &statusOptions{app: a}
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: groupSignIn,
		Short:   "Show the sessions, who is signed in and until when",
		Long: lines(
			"Shows every session of the AWS config file, or the one of --profile or --sso-session, with the state of its",
			"token. No network call is made: the service may have ended a session earlier than its token says.",
			"",
			"With --check nothing is printed for a token that is good or can be renewed; anything else is exit code 4. Which",
			"session is checked: --sso-session; else that of the profile; else that of [default]; else the only one there is.",
		),
		Example: lines(
			"  homing status",
			"  homing status --check --min 30m || homing login",
		),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.min != 0 && !o.check {
				return fault.New(fault.Usage, "add the flag: --check", "--min is of no use without --check")
			}
			if o.min < 0 {
				return fault.New(fault.Usage, "use a duration such as 30m", "--min %s is negative", o.min)
			}
			if o.check {
				return o.runCheck(cmd.Context())
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.ssoSession, "sso-session", "", "`name` of the [sso-session] to show or check")
	cmd.Flags().BoolVar(&o.check, "check", false, "say by the exit code whether the token is good")
	cmd.Flags().DurationVar(&o.min, "min", 0, "with --check: the least `time` a token that cannot be renewed must have left, such as 30m")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.completeSessions)
	return cmd
}

// sessionStatus is one row of status. The JSON names stay as they are.
type sessionStatus struct {
	Session     string   `json:"session"` // name, or the start URL of a legacy profile
	Legacy      bool     `json:"legacy"`
	StartURL    string   `json:"start_url"`
	Region      string   `json:"region"`
	State       string   `json:"state"` // valid, expired, none, corrupt
	ExpiresAt   string   `json:"expires_at,omitempty"`
	Refreshable bool     `json:"refreshable"`
	Profiles    []string `json:"profiles"`

	expires time.Time
}

// statusDocument is what status --json prints, with and without --check.
type statusDocument struct {
	Sessions []sessionStatus `json:"sessions"`
}

func (o *statusOptions) run(ctx context.Context) error {
	a := o.app
	cfg, err := a.config()
	if err != nil {
		return err
	}
	sessions := cfg.Sessions()
	if o.ssoSession != "" || a.flags.profile != "" { // AWS_PROFILE says what to use, not what to show
		t, err := a.target(ctx, o.ssoSession)
		if err != nil {
			return err
		}
		sessions = []session.Session{t.session}
	}
	st, err := a.store()
	if err != nil {
		return err
	}
	rows := []sessionStatus{}
	for _, s := range sessions {
		rows = append(rows, statusOf(s, cfg, st, a.env.now()))
	}
	if a.ui.json {
		return a.ui.document(statusDocument{rows})
	}
	if len(rows) == 0 {
		a.ui.say("No session is configured in %q. Start with: homing configure sso\n", a.configFile())
		return nil
	}
	return o.render(rows)
}

func (o *statusOptions) render(rows []sessionStatus) error {
	var cells [][]string
	for _, row := range rows {
		profiles := strings.Join(row.Profiles, ", ")
		if profiles == "" {
			profiles = "-"
		}
		cells = append(cells, []string{row.Session, o.stateInWords(row), profiles})
	}
	return o.app.ui.table([]string{"SESSION", "TOKEN", "PROFILES"}, cells)
}

func (o *statusOptions) stateInWords(row sessionStatus) string {
	when := moment(row.expires, o.app.env.now())
	switch {
	case row.State == "valid" && row.Refreshable:
		return "valid until " + when + ", renewable"
	case row.State == "valid":
		return "valid until " + when + ", not renewable"
	case row.State == "expired" && row.Refreshable:
		return "expired " + when + ", renewable"
	case row.State == "expired":
		return "expired " + when
	case row.State == "corrupt":
		return "unreadable, sign in again"
	}
	return "not signed in"
}

// tokenReader is what status needs of the store.
type tokenReader interface {
	Token(key string) (session.Token, error)
}

func statusOf(s session.Session, cfg *awsconfig.Config, tokens tokenReader, now time.Time) sessionStatus {
	row := sessionStatus{Session: s.Label(), Legacy: s.Legacy(), StartURL: s.StartURL, Region: s.Region, Profiles: []string{}}
	for _, p := range cfg.ProfilesOf(s) {
		row.Profiles = append(row.Profiles, p.Profile)
	}
	tok, err := tokens.Token(s.CacheKey())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		row.State = "none"
		return row
	case err != nil:
		row.State = "corrupt"
		return row
	}
	row.State = "valid"
	if tok.Expired(now) {
		row.State = "expired"
	}
	row.expires, row.ExpiresAt = tok.ExpiresAt, tok.ExpiresAt.UTC().Format(time.RFC3339)
	row.Refreshable = !s.Legacy() && tok.Renewable(now)
	return row
}

// runCheck ends without an error when the session's token can be renewed, or is good for at least o.min.
func (o *statusOptions) runCheck(ctx context.Context) error {
	a := o.app
	cfg, err := a.config()
	if err != nil {
		return err
	}
	t, err := a.target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	st, err := a.store()
	if err != nil {
		return err
	}
	now := a.env.now()
	row := statusOf(t.session, cfg, st, now)
	if a.ui.json {
		if err := a.ui.document(statusDocument{[]sessionStatus{row}}); err != nil {
			return err
		}
	}
	if row.Refreshable || row.State == "valid" && row.expires.Sub(now) >= o.min {
		return nil // whoever uses it next renews it without a person
	}
	need := &fault.Error{Kind: fault.SignInNeeded, Hint: "run: " + loginCommand(t)}
	switch row.State {
	case "none":
		need.Msg = "not signed in to " + named(t.session)
	case "corrupt":
		need.Msg = "the token file of " + named(t.session) + " cannot be read"
	case "expired":
		need.Msg = "the token of " + named(t.session) + " expired " + moment(row.expires, now)
	default:
		need.Msg = "the token of " + named(t.session) + " is valid for " + span(row.expires.Sub(now)) + " only, less than " + span(o.min)
	}
	return need
}

// loginCommand is the command that signs in to t.
func loginCommand(t target) string {
	switch {
	case !t.session.Legacy():
		return "homing login --sso-session " + t.session.Name
	case t.profile != "" && t.profile != "default":
		return "homing login --profile " + t.profile
	}
	return "homing login"
}
