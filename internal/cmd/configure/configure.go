// Package configure holds the commands configure sso, with the command line of --upgrade, and configure sso-session.
// Both are wizards; the values that they accept are in internal/answer, the upgrade itself in internal/upgrade.
package configure

import (
	"github.com/homing-cli/homing/internal/app"
	"github.com/spf13/cobra"
)

// New returns the command configure with its subcommands.
func New(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "configure",
		GroupID: app.GroupSignIn,
		Short:   "Write profiles and sessions to the AWS config file",
		Args:    cobra.ArbitraryArgs,
		RunE:    app.NeedsSubcommand,
	}
	cmd.AddCommand(newSSO(a), newSession(a))
	return cmd
}
