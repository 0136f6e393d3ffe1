package app

import (
	"fmt"

	"github.com/homing-cli/homing/internal/ui"
)

// Remark prints a note to stderr, or a hint event under --json.
func (a *App) Remark(format string, args ...any) {
	if !a.UI.JSON {
		a.UI.Say(format+"\n", args...)
		return
	}
	if err := a.UI.HintEvent(fmt.Sprintf(format, ui.CleanArgs(args)...)); err != nil {
		a.UI.Debug("hint event: %v", err)
	}
}

// Report prints the error event that ends a failed command under --json. It returns err.
func (a *App) Report(err error) error {
	if err == nil || !a.UI.JSON {
		return err
	}
	f := a.UI.Describe(err)
	if eventErr := a.UI.ErrorEvent(f); eventErr != nil {
		a.UI.Debug("error event: %v", eventErr)
	}
	return err
}
