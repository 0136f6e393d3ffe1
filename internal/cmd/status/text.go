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

// text renders status for people. The facts go to stdout, advice to stderr.
type text struct {
	app   *app.App
	cache string // the folder of the tokens
	now   time.Time
}

func (w *text) render(doc document) error {
	u := w.app.UI
	if len(doc.Sessions) == 0 && len(doc.Problems) == 0 {
		u.Say("No session is configured in %q. Start with: homing configure sso\n", w.app.ConfigFile())
	}
	header, cells := []string{"SESSION", "TOKEN", "RENEWABLE", "NEXT USE"}, [][]string{}
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
			w.renderSession(row, doc.Keep)
		}
	default:
		if err := u.Table(header, cells); err != nil {
			return err
		}
		if doc.Keep.Running {
			u.Answer("homing keep watches: %s\n", watched(doc.Sessions))
		}
		for _, row := range doc.Sessions {
			switch v := row.Verified; {
			case v == nil:
			case v.Accepted:
				u.Answer("%s: the service %s\n", shortName(row), verified(*v))
			default:
				u.Answer("%s: %s\n", shortName(row), v.Error)
			}
		}
	}
	w.renderOthers(doc.Others)
	for _, p := range doc.Problems {
		u.Say("%s\n", p.Error)
		if p.Hint != "" {
			u.Say("hint: %s\n", p.Hint)
		}
	}
	for _, row := range doc.Sessions {
		w.advise(row, len(doc.Sessions) > 1)
	}
	w.warnClock(doc.Sessions)
	return nil
}

// tooWide reports whether a table does not fit the terminal. Without a terminal every table fits.
func (w *text) tooWide(header []string, rows [][]string) bool {
	if !w.app.Env.Terminal.Stdout || w.app.UI.Width <= 0 {
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
	return total > w.app.UI.Width
}

// cells returns the table row of a session. It shows the time left rather than the date, so that the table fits 80
// columns.
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
		next = "used as is"
	case nextRenew:
		next = "will be renewed"
	case nextFail:
		next = "cannot be stored here"
		if row.State == stateCorrupt {
			next = "fails"
		}
	}
	return []string{shortName(row), w.token(row), renewable, next}
}

// shortName returns the name of a session in a table: for legacy profiles, the start URL without its common parts.
func shortName(row sessionStatus) string { return ui.ShortName(row.Session, row.Legacy, row.StartURL) }

// token words the state of a session's token.
func (w *text) token(row sessionStatus) string {
	switch row.State {
	case stateNone:
		return "not signed in"
	case stateCorrupt:
		return "unreadable"
	case stateForeign:
		return "from another instance"
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

// renderSession prints everything about one session.
func (w *text) renderSession(row sessionStatus, k keepStatus) {
	what := "Session " + row.Session
	if row.Legacy {
		what = "Legacy profiles of " + row.StartURL
	}
	w.app.UI.Answer("%s\n", what)
	line := func(name, format string, args ...any) {
		w.app.UI.Answer("  %-10s "+format+"\n", append([]any{name + ":"}, args...)...)
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
	if row.hasToken() {
		line("renewable", "%s", renewable(row))
	}
	switch row.NextUse {
	case nextUse:
		line("next use", "used as is")
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
		line("service", "%s", verified(*row.Verified))
	}
	line("start URL", "%s", row.StartURL)
	line("region", "%s", row.Region)
	line("format", "%s", row.Format)
	if row.hasToken() {
		line("client", "%s", client(row.Client, row.ClientName))
	}
	line("keep", "%s", keepState(row, k))
	profiles := strings.Join(row.Profiles, ", ")
	if profiles == "" {
		profiles = "none"
	}
	line("profiles", "%s", profiles)
	line("file", "%s", row.File)
}

// expired words when a session's token expired.
func (w *text) expired(row sessionStatus) string {
	if row.expires.IsZero() {
		return "expired"
	}
	return "expired " + ui.Moment(row.expires, w.now)
}

// renewable words whether a session's token can be renewed. It has no date: the service never says when a portal
// session ends.
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

// client words which program a token was issued to.
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
	return "unknown: the file does not say"
}

// keepState words whether keep renews a session's token.
func keepState(row sessionStatus, k keepStatus) string {
	switch {
	case row.Watched:
		return "renewed by homing keep"
	case k.Running:
		return "not renewed by the running homing keep"
	}
	return "homing keep is not running"
}

// watched lists the sessions whose tokens keep renews.
func watched(rows []sessionStatus) string {
	var names []string
	for _, row := range rows {
		if row.Watched {
			names = append(names, shortName(row))
		}
	}
	if len(names) == 0 {
		return "none of these"
	}
	return strings.Join(names, ", ")
}

// verified words the service's answer.
func verified(v connect.Verification) string {
	switch {
	case v.Accepted && v.Renewed:
		return "accepts the token, which was renewed"
	case v.Accepted:
		return "accepts the token"
	}
	return v.Error
}

// renderOthers lists the token files that belong to no session. homing leaves them alone, but other programs may read
// them.
func (w *text) renderOthers(list []otherToken) {
	if len(list) == 0 {
		return
	}
	w.app.UI.Answer("\nOther tokens in %s, which no profile uses:\n", w.cache)
	for _, o := range list {
		if o.State == stateCorrupt {
			w.app.UI.Answer("  %s\n", strings.ReplaceAll(o.Error, w.cache+string(filepath.Separator), ""))
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
		w.app.UI.Answer("  %s: %s\n    %s%s\n", filepath.Base(o.File), about, until, by)
	}
}

// advise says what to do about a session. named means that other sessions are shown too, so the advice names this
// one.
func (w *text) advise(row sessionStatus, named bool) {
	u := w.app.UI
	if named && row.NextUse == nextSignIn {
		u.Say("%s needs: %s\n", shortName(row), row.SignIn)
	}
	if row.NextUse == nextFail && row.State == stateCorrupt {
		if named {
			u.Say("%s\n", row.why)
		}
		u.Say("hint: %s\n", u.Describe(row.why).Hint)
	}
	if named && row.Unstorable != "" {
		u.Say("The token of %s cannot be renewed: %s\n", shortName(row), row.Unstorable)
	}
	if row.Short > 0 {
		u.Say("%s\n", ui.ShortAdvice(shortName(row), time.Duration(row.Short)*time.Second, row.StartURL, row.SignIn))
	}
	if row.Upgrade != "" && !row.Refreshable && row.Unstorable == "" {
		u.Say("The AWS CLI and the SDKs never renew the legacy format of %s. To change that, run: %s\n",
			shortName(row), row.Upgrade)
	}
}

// warnClock says once how far this machine's clock is off. Every program computes a token's expiry from this clock.
func (w *text) warnClock(rows []sessionStatus) {
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
			w.app.UI.Say("This machine's clock is %s %s the service's: expiry times are wrong until it is set.\n",
				ui.Span(off.Abs()), side)
			return
		}
	}
}
