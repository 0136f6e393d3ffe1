package cli

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
)

// statusText is status for people. The facts go to stdout, what one may do about them to stderr.
type statusText struct {
	app   *app
	cache string // the folder of the tokens
	now   time.Time
}

func (w *statusText) render(doc statusDocument) error {
	u := w.app.ui
	if len(doc.Sessions) == 0 && len(doc.Problems) == 0 {
		u.say("No session is configured in %q. Start with: homing configure sso\n", w.app.configFile())
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
				u.answer("\n")
			}
			w.details(row, doc.Keep)
		}
	default:
		if err := u.table(header, cells); err != nil {
			return err
		}
		if doc.Keep.Running {
			u.answer("homing keep watches: %s\n", w.watched(doc.Sessions))
		}
		for _, row := range doc.Sessions {
			switch v := row.Verified; {
			case v == nil:
			case v.Accepted:
				u.answer("%s: the service %s\n", short(row), w.verified(*v))
			default:
				u.answer("%s: %s\n", short(row), v.Error)
			}
		}
	}
	w.others(doc.Others)
	for _, p := range doc.Problems {
		u.say("%s\n", p.Error)
		if p.Hint != "" {
			u.say("hint: %s\n", p.Hint)
		}
	}
	for _, row := range doc.Sessions {
		w.advice(row, len(doc.Sessions) > 1)
	}
	w.clock(doc.Sessions)
	return nil
}

// tooWide reports whether a table would not fit the terminal. Where there is none, every table fits.
func (w *statusText) tooWide(header []string, rows [][]string) bool {
	if !w.app.env.Terminal.Stdout || w.app.ui.width <= 0 {
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
	return total > w.app.ui.width
}

// cells is the row of a table that fits 80 columns: the time left rather than the date.
func (w *statusText) cells(row sessionStatus) []string {
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
func short(row sessionStatus) string { return shortName(row.Session, row.Legacy, row.StartURL) }

func shortName(name string, legacy bool, startURL string) string {
	if !legacy {
		return name
	}
	name = strings.TrimPrefix(startURL, "https://")
	return strings.TrimSuffix(strings.TrimRight(name, "/#"), "/start")
}

func (w *statusText) token(row sessionStatus) string {
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
		return "expired " + distance(row.expires.Sub(w.now))
	}
	return "valid for " + span(row.expires.Sub(w.now))
}

// details shows all that is known of one session.
func (w *statusText) details(row sessionStatus, k keeperStatus) {
	what := "Session " + row.Session
	if row.Legacy {
		what = "Legacy profiles of " + row.StartURL
	}
	w.app.ui.answer("%s\n", what)
	line := func(name, format string, args ...any) {
		w.app.ui.answer("  %-10s "+format+"\n", append([]any{name + ":"}, args...)...)
	}
	switch row.State {
	case stateNone, stateCorrupt:
		line("token", "%s", w.token(row))
	case stateForeign:
		line("token", "%s", row.why)
	case stateEnded:
		but := ", although its token lasts until " + moment(row.expires, w.now)
		if !row.expires.After(w.now) {
			but = ", its token " + w.expired(row)
		}
		line("token", "the session has ended%s", but)
	case stateExpired:
		line("token", "%s", w.expired(row))
	default:
		line("token", "valid until %s", moment(row.expires, w.now))
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

func (w *statusText) expired(row sessionStatus) string {
	if row.expires.IsZero() {
		return "expired"
	}
	return "expired " + moment(row.expires, w.now)
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

func (w *statusText) watched(rows []sessionStatus) string {
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

func (w *statusText) verified(v verification) string {
	switch {
	case v.Accepted && v.Renewed:
		return "accepts the token, which was renewed"
	case v.Accepted:
		return "accepts the token"
	}
	return v.Error
}

// others names the token files of no session: nothing is done with them, but who reads the folder should know.
func (w *statusText) others(list []otherToken) {
	if len(list) == 0 {
		return
	}
	w.app.ui.answer("\nOther tokens in %s, which no profile uses:\n", w.cache)
	for _, o := range list {
		if o.State == stateCorrupt {
			w.app.ui.answer("  %s\n", strings.ReplaceAll(o.Error, w.cache+string(filepath.Separator), ""))
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
			until += moment(o.expires, w.now)
		}
		if o.Refreshable {
			until += ", renewable"
		}
		by := ""
		if o.Client != "" {
			by = ", by " + client(o.Client, o.ClientName)
		}
		w.app.ui.answer("  %s: %s\n    %s%s\n", filepath.Base(o.File), about, until, by)
	}
}

// advice says what is worth doing about a session. named says that it must be told apart from others.
func (w *statusText) advice(row sessionStatus, named bool) {
	u := w.app.ui
	if named && row.NextUse == nextSignIn {
		u.say("%s needs: %s\n", short(row), row.SignIn)
	}
	if row.NextUse == nextFail && row.State == stateCorrupt {
		if named {
			u.say("%s\n", row.why)
		}
		u.say("hint: %s\n", fault.HintOf(row.why))
	}
	if named && row.Unstorable != "" {
		u.say("The token of %s cannot be renewed: %s\n", short(row), row.Unstorable)
	}
	if row.Short > 0 {
		u.say("%s\n", shortAdvice(short(row), time.Duration(row.Short)*time.Second, row.StartURL, row.SignIn))
	}
	if row.Upgrade != "" && !row.Refreshable && row.Unstorable == "" {
		u.say("The legacy format of %s is never renewed by the AWS CLI and the SDKs. To change that: %s\n", short(row), row.Upgrade)
	}
}

// shortAdvice says what a token that was issued for little tells of its portal session; signIn is the command.
func shortAdvice(name string, life time.Duration, startURL, signIn string) string {
	return "The token of " + name + " was issued for " + span(life) + " only: its portal session seems to end then, and a sign-in before that " +
		"inherits what is left. For a whole one sign out at " + startURL + " first, then run: " + signIn + " --force"
}

// clock says once how far this machine's clock is off: the expiry of a token is computed from it, by every program.
func (w *statusText) clock(rows []sessionStatus) {
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
			w.app.ui.say("The clock of this machine is %s %s the service's: expiry times are wrong until it is set.\n", span(off.Abs()), side)
			return
		}
	}
}
