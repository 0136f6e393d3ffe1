package interactive

import (
	"strconv"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

// RegisterKeepFresh adds --keep-fresh, which overrides the setting keep_fresh in either direction.
func (f *Flags) RegisterKeepFresh(cmd *cobra.Command) {
	cmd.Flags().BoolFunc("keep-fresh", "sign in to a legacy profile such that the token can be renewed; it then lives for 1 h at a time, not 8 (also: HOMING_KEEP_FRESH)",
		func(text string) error {
			yes, err := strconv.ParseBool(text)
			f.keepFresh = &yes
			return err
		})
}

// keepFresh returns s with the kind of token that was asked for: a legacy session can have one that can be renewed.
// anew says that this takes a sign-in even if the present token is good: the flag asked for it, and the present one
// cannot be renewed.
func keepFresh(a *app.App, s session.Session, c Choice, f Flags, st *store.Store) (_ session.Session, anew bool) {
	asked := f.keepFresh != nil && *f.keepFresh
	if !s.Legacy() {
		if asked {
			a.Remark("--keep-fresh is needed for legacy profiles only: the token of %s can be renewed anyway.", s.InWords())
		}
		return s, false
	}
	s.KeepFresh = c.Settings.KeepFresh.Value
	if f.keepFresh != nil {
		s.KeepFresh = *f.keepFresh
	}
	if !asked {
		return s, false
	}
	tok, err := st.Token(s.CacheKey())
	return s, err == nil && !tok.Renewable(a.Env.Time())
}

// freshAgain returns the flag that asks for the kind of token s gets.
func (f *Flags) freshAgain(s session.Session) string {
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

// watched reports whether keep renews the token of s.
func watched(a *app.App, s session.Session) bool {
	dir, err := a.StateDir()
	if err != nil {
		return false
	}
	watches, err := keep.Watching(dir)
	if err != nil {
		a.UI.Debug("whether homing keep runs is not known: %v", err)
	}
	return watches(s)
}
