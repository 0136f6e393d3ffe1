package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

// registerKeepFresh adds --keep-fresh, which beats the setting keep_fresh in either direction.
func (f *flowFlags) registerKeepFresh(cmd *cobra.Command) {
	cmd.Flags().BoolFunc("keep-fresh", "sign in to a legacy profile such that the token can be renewed; it then lives for 1 h at a time, not 8 (also: HOMING_KEEP_FRESH)",
		func(text string) error {
			yes, err := strconv.ParseBool(text)
			f.keepFresh = &yes
			return err
		})
}

// keptFresh returns s such that a sign-in to it gets what was asked for: a token that can be renewed, of a legacy session
// too. anew says that it takes a sign-in although the present token is good: it was asked for on the command line, and
// the present one cannot be renewed.
func (a *app) keptFresh(s session.Session, c choice, f flowFlags, st *store.Store) (_ session.Session, anew bool) {
	asked := f.keepFresh != nil && *f.keepFresh
	if !s.Legacy() {
		if asked {
			a.remark("--keep-fresh is needed for legacy profiles only: the token of %s can be renewed anyway.", s.InWords())
		}
		return s, false
	}
	s.KeepFresh = c.settings.KeepFresh.Value
	if f.keepFresh != nil {
		s.KeepFresh = *f.keepFresh
	}
	if !asked {
		return s, false
	}
	tok, err := st.Token(s.CacheKey())
	return s, err == nil && !tok.Renewable(a.env.now())
}

// freshAgain is the flag that asks once more for what s is to get.
func (f *flowFlags) freshAgain(s session.Session) string {
	switch {
	case !s.Legacy():
		return ""
	case s.KeepFresh:
		return " --keep-fresh"
	case f.keepFresh != nil:
		return " --keep-fresh=false"
	}
	return ""
}

// remark says something beside the matter: a hint event under --json.
func (a *app) remark(format string, args ...any) {
	if !a.ui.json {
		a.ui.say(format+"\n", args...)
		return
	}
	if err := a.ui.event(signin.Hint{Text: fmt.Sprintf(format, cleanArgs(args)...)}); err != nil {
		a.ui.debug("hint event: %v", err)
	}
}

// watched reports whether homing keep renews the tokens of s.
func (a *app) watched(s session.Session) bool {
	dir, err := a.stateDir()
	if err != nil {
		return false
	}
	watches, err := keep.Watching(dir)
	if err != nil {
		a.ui.debug("whether homing keep runs is not known: %v", err)
	}
	return watches(s)
}

// renewal says after a sign-in what becomes of the token.
func (t *loginTalk) renewal(e signin.SignedIn) string {
	legacy := t.session.Legacy()
	switch {
	case e.Refreshable && !legacy:
		return "The AWS CLI, the SDKs and homing renew it by themselves while your portal session lasts."
	case e.Refreshable && t.watched:
		return "homing keep renews it while your portal session lasts."
	case e.Refreshable && e.Short > 0:
		return "homing credentials and env renew it when they run. To have it renewed all the time, run: homing keep --detach"
	case e.Refreshable:
		return "It lives for " + span(e.ExpiresAt.Sub(t.now())) + ", not 8 h, because it can be renewed: homing credentials and env do so when they run.\n" +
			"To have it renewed all the time, run: homing keep --detach"
	case legacy && !t.session.KeepFresh:
		return "It cannot be renewed: a legacy profile has no refresh token."
	}
	return "It cannot be renewed: the service gave no refresh token."
}

const (
	// freshenWait bounds what keeping a legacy token fresh may cost a command that has its answer already. Where the
	// request is out by then the renewal gets 5 s more (internal/refresh): the answer holds the only refresh token.
	freshenWait = 1500 * time.Millisecond
	// freshenAgain is how long after such a renewal was begun, by whatever process, nobody begins another.
	freshenAgain = time.Minute
)

// stale reports whether the token of a legacy session that is kept fresh is due, and nobody has just tried that.
func (a *app) stale(st *store.Store, s session.Session) bool {
	if !s.Legacy() {
		return false
	}
	now := a.env.now()
	t, err := st.Token(s.CacheKey())
	if err != nil || !t.Renewable(now) || t.ExpiresAt.Sub(now) >= refresh.Margin(s) {
		return false
	}
	ago, ok := st.Tried(s.CacheKey())
	return !ok || ago >= freshenAgain
}

// freshen renews the token of a legacy session that is kept fresh, if it is time. The role credentials that were asked
// for come from the cache, so nothing fails here; but the SDKs read that token, and do not renew it.
func (a *app) freshen(ctx context.Context, st *store.Store, s session.Session) {
	if !a.stale(st, s) || a.onlooker(st).Outlook(ctx, s).Next != refresh.NextRenew {
		return
	}
	st.Try(s.CacheKey())
	ctx, cancel := context.WithTimeout(ctx, freshenWait)
	defer cancel()
	if _, err := a.renewer(st).Token(ctx, s); err != nil {
		a.ui.debug("the token is not renewed: %v", err)
	}
}
