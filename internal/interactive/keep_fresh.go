package interactive

import (
	"strconv"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

// RegisterKeepFresh adds --keep-fresh, which overrides the setting keep_fresh in either direction.
func (f *Flags) RegisterKeepFresh(cmd *cobra.Command) {
	cmd.Flags().
		BoolFunc("keep-fresh",
			"sign in to a legacy profile such that the token can be renewed; it then lives for 1 h at a time, not "+
				"8 (also: HOMING_KEEP_FRESH)",
			func(text string) error {
				yes, err := strconv.ParseBool(text)
				f.keepFresh = &yes
				return err
			})
}

// KeepFreshInVain reports whether --keep-fresh is given for a session whose token can be renewed anyway.
func (f *Flags) KeepFreshInVain(s session.Session) bool {
	return f.keepFresh != nil && *f.keepFresh && !s.Legacy()
}

// keepFresh decides whether the token of a legacy session will be one that can be renewed. If the flag asks for it,
// the present token does not do unless it can be.
func (c *Choice) keepFresh(f Flags) {
	if !c.session.Legacy() {
		return
	}
	c.session.KeepFresh, c.freshByFlag = c.Settings.KeepFresh.Value, f.keepFresh != nil
	if f.keepFresh != nil {
		c.session.KeepFresh, c.renewable = *f.keepFresh, *f.keepFresh
	}
}

// command returns the command that signs in to the session, for a token of the same kind.
func (c Choice) command(a *app.App) string {
	command := a.UI.Command(app.Target{Session: c.session, Profile: a.ProfileOf(c.session)}.Login())
	switch {
	case c.session.Legacy() && c.session.KeepFresh:
		return command + " --keep-fresh"
	case c.freshByFlag:
		return command + " --keep-fresh=false"
	}
	return command
}

// watched reports whether keep renews the token.
func (c Choice) watched(a *app.App) bool {
	dir, err := a.StateDir()
	if err != nil {
		return false
	}
	watches, err := keep.Watching(dir)
	if err != nil {
		a.UI.Debug("whether keep runs is not known: %v", err)
	}
	return watches(c.session)
}
