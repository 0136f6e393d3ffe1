package status

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/ui"
)

// text is status for people. The facts go to stdout, what one may do about them to stderr.
type text struct {
	App   *app.App
	cache string // the folder of the tokens
	now   time.Time
}

func (w *text) render(doc document) error {
	u := w.App.UI
	if len(doc.Sessions) == 0 && len(doc.Problems) == 0 {
		u.Say("No session is configured in %q. Start with: homing configure sso\n", w.App.ConfigFile())
	}
	header, cells := []string{"SESSION", "TOKEN", "RENEWABLE", "AT THE NEXT USE"}, [][]string{}
	for _, row := range doc.Sessions {
		cells = append(cells, w.cells(row))
	}
	switch {
	case len(doc.Sessions) == 0:
	case len(doc.Sessions) == 1 || w.tooWide(header, cells):
		for i, row := range doc.Sessions {
			if i > 0 {
				u.Answer("\n")
			}
			w.details(row, doc.Keep)
		}
	default:
		if err := u.Table(header, cells); err != nil {
			return err
		}
		if doc.Keep.Running {
			u.Answer("homing keep watches: %s\n", w.watched(doc.Sessions))
		}
		for _, row := range doc.Sessions {
			switch v := row.Verified; {
			case v == nil:
			case v.Accepted:
				u.Answer("%s: the service %s\n", short(row), w.verified(*v))
			default:
				u.Answer("%s: %s\n", short(row), v.Error)
			}
		}
	}
	w.others(doc.Others)
	for _, p := range doc.Problems {
		u.Say("%s\n", p.Error)
		if p.Hint != "" {
			u.Say("hint: %s\n", p.Hint)
		}
	}
	for _, row := range doc.Sessions {
		w.advice(row, len(doc.Sessions) > 1)
	}
	w.clock(doc.Sessions)
	return nil
}

// tooWide reports whether a table would not fit the terminal. Where there is none, every table fits.
func (w *text) tooWide(header []string, rows [][]string) bool {
	if !w.App.Env.Terminal.Stdout || w.App.UI.Width <= 0 {
		return false
	}
	total := 2 * (len(header) - 1)
	for i := range header {
		widest := 0
		for _, row := range append([][]string{header}, rows...) {
			widest = max(widest, len([]rune(row[i])))
		}
		total += widest
	}
	return total > w.App.UI.Width
}

// cells is the row of a table that fits 80 columns: the time left rather than the date.
func (w *text) cells(row sessionStatus) []string {
	renewable := "no"
	switch {
	case row.State == stateNone || row.State == stateCorrupt || row.State == stateForeign:
		renewable = "-"
	case row.Refreshable:
		renewable = "yes"
	}
	next := "needs a sign-in"
	switch row.NextUse {
	case nextUse:
		next = "used as it is"
	case nextRenew:
		next = "renewed by itself"
	case nextFail:
		next = "cannot be stored here"
		if row.State == stateCorrupt {
			next = "fails"
		}
	}
	return []string{short(row), w.token(row), renewable, next}
}

// short names a session in a table: a legacy one by what is left of its start URL without the parts that all have.
func short(row sessionStatus) string { return ui.ShortName(row.Session, row.Legacy, row.StartURL) }

func (w *text) token(row sessionStatus) string {
	switch row.State {
	case stateNone:
		return "not signed in"
	case stateCorrupt:
		return "unreadable"
	case stateForeign:
		return "of another instance"
	case stateEnded:
		return "ended"
	case stateExpired:
		if row.expires.IsZero() {
			return "expired"
		}
		return "expired " + ui.Distance(row.expires.Sub(w.now))
	}
	return "valid for " + ui.Span(row.expires.Sub(w.now))
}

// details shows all that is known of one session.
func (w *text) details(row sessionStatus, k keeperStatus) {
	what := "Session " + row.Session
	if row.Legacy {
		what = "Legacy profiles of " + row.StartURL
	}
	w.App.UI.Answer("%s\n", what)
	line := func(name, format string, args ...any) {
		w.App.UI.Answer("  %-10s "+format+"\n", append([]any{name + ":"}, args...)...)
	}
	switch row.State {
	case stateNone, stateCorrupt:
		line("token", "%s", w.token(row))
	case stateForeign:
		line("token", "%s", row.why)
	case stateEnded:
		but := ", although its token lasts until " + ui.Moment(row.expires, w.now)
		if !row.expires.After(w.now) {
			but = ", its token " + w.expired(row)
		}
		line("token", "the session has ended%s", but)
	case stateExpired:
		line("token", "%s", w.expired(row))
	default:
		line("token", "valid until %s", ui.Moment(row.expires, w.now))
	}
	if row.askable() {
		line("renewable", "%s", renewable(row))
	}
	switch row.NextUse {
	case nextUse:
		line("next use", "used as it is")
	case nextRenew:
		line("next use", "renewed without a browser")
	case nextFail:
		why := "a new token cannot be stored here"
		if row.State == stateCorrupt {
			why = row.why.Error()
		}
		line("next use", "fails: %s", why)
	default:
		line("next use", "needs: %s", row.SignIn)
	}
	if row.Verified != nil {
		line("service", "%s", w.verified(*row.Verified))
	}
	line("start URL", "%s", row.StartURL)
	line("region", "%s", row.Region)
	line("format", "%s", row.Format)
	if row.askable() {
		line("client", "%s", client(row.Client, row.ClientName))
	}
	line("keep", "%s", keeping(row, k))
	profiles := strings.Join(row.Profiles, ", ")
	if profiles == "" {
		profiles = "none"
	}
	line("profiles", "%s", profiles)
	line("file", "%s", row.File)
}

func (w *text) expired(row sessionStatus) string {
	if row.expires.IsZero() {
		return "expired"
	}
	return "expired " + ui.Moment(row.expires, w.now)
}

// renewable: the service never tells when a portal session ends.
func renewable(row sessionStatus) string {
	switch {
	case row.Refreshable && row.Legacy:
		return "yes, by homing alone, while the portal session lasts"
	case row.Refreshable:
		return "yes, while the portal session lasts"
	case row.Unstorable != "":
		return "no: it cannot be stored here: " + row.Unstorable
	case refresh.RenewalRefused(row.Refused) != "":
		return "no: " + refresh.RenewalRefused(row.Refused) + " (" + row.Refused + ")"
	case row.Refused != "":
		return "no: the service has refused it (" + row.Refused + ")"
	}
	return "no"
}

// client names the program that got a token.
func client(kind, name string) string {
	switch {
	case kind == "homing" && name != "":
		return "homing, as \"" + name + "\""
	case kind == "homing":
		return "homing"
	case kind == "aws-cli":
		return "AWS CLI, as \"" + name + "\""
	case name != "":
		return "\"" + name + "\""
	}
	return "unknown: the file does not tell"
}

func keeping(row sessionStatus, k keeperStatus) string {
	switch {
	case row.Watched:
		return "renewed by homing keep"
	case k.Running:
		return "not watched by the homing keep that runs"
	}
	return "homing keep does not run"
}

func (w *text) watched(rows []sessionStatus) string {
	var names []string
	for _, row := range rows {
		if row.Watched {
			names = append(names, short(row))
		}
	}
	if len(names) == 0 {
		return "none of these"
	}
	return strings.Join(names, ", ")
}

func (w *text) verified(v connect.Verification) string {
	switch {
	case v.Accepted && v.Renewed:
		return "accepts the token, which was renewed"
	case v.Accepted:
		return "accepts the token"
	}
	return v.Error
}

// others names the token files of no session: nothing is done with them, but who reads the folder should know.
func (w *text) others(list []otherToken) {
	if len(list) == 0 {
		return
	}
	w.App.UI.Answer("\nOther tokens in %s, which no profile uses:\n", w.cache)
	for _, o := range list {
		if o.State == stateCorrupt {
			w.App.UI.Answer("  %s\n", strings.ReplaceAll(o.Error, w.cache+string(filepath.Separator), ""))
			continue
		}
		about := o.StartURL
		if about == "" {
			about = "no start URL"
		}
		if o.Region != "" {
			about += " in " + o.Region
		}
		until := "valid until "
		if o.State == stateExpired {
			until = "expired "
		}
		if !o.expires.IsZero() {
			until += ui.Moment(o.expires, w.now)
		}
		if o.Refreshable {
			until += ", renewable"
		}
		by := ""
		if o.Client != "" {
			by = ", by " + client(o.Client, o.ClientName)
		}
		w.App.UI.Answer("  %s: %s\n    %s%s\n", filepath.Base(o.File), about, until, by)
	}
}

// advice says what is worth doing about a session. named says that it must be told apart from others.
func (w *text) advice(row sessionStatus, named bool) {
	u := w.App.UI
	if named && row.NextUse == nextSignIn {
		u.Say("%s needs: %s\n", short(row), row.SignIn)
	}
	if row.NextUse == nextFail && row.State == stateCorrupt {
		if named {
			u.Say("%s\n", row.why)
		}
		u.Say("hint: %s\n", u.Describe(row.why).Hint)
	}
	if named && row.Unstorable != "" {
		u.Say("The token of %s cannot be renewed: %s\n", short(row), row.Unstorable)
	}
	if row.Short > 0 {
		u.Say("%s\n", ui.ShortAdvice(short(row), time.Duration(row.Short)*time.Second, row.StartURL, row.SignIn))
	}
	if row.Upgrade != "" && !row.Refreshable && row.Unstorable == "" {
		u.Say("The legacy format of %s is never renewed by the AWS CLI and the SDKs. To change that: %s\n", short(row), row.Upgrade)
	}
}

// clock says once how far this machine's clock is off: the expiry of a token is computed from it, by every program.
func (w *text) clock(rows []sessionStatus) {
	for _, row := range rows {
		v := row.Verified
		if v == nil || v.ClockAhead == nil {
			continue
		}
		if off := time.Duration(*v.ClockAhead) * time.Second; off.Abs() >= time.Minute {
			side := "ahead of"
			if off < 0 {
				side = "behind"
			}
			w.App.UI.Say("The clock of this machine is %s %s the service's: expiry times are wrong until it is set.\n", ui.Span(off.Abs()), side)
			return
		}
	}
}
