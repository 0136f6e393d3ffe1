// Package configure is the commands configure sso and configure sso-session, and the upgrade of legacy profiles.
package configure

import (
	"github.com/homing-cli/homing/internal/app"
	"github.com/spf13/cobra"
)

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
