package configure

import (
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/upgrade"
	"github.com/spf13/cobra"
)

func (o *ssoOptions) registerUpgrade(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.upgrade, "upgrade", false, "turn the legacy profiles that are named as arguments into profiles of an [sso-session]")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "with --upgrade: change the file without asking")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if o.upgrade {
			return nil
		}
		return app.NoArgs(cmd, args)
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cfg, err := o.App.Config()
		if err != nil || !o.upgrade {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return upgrade.LegacyProfiles(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}

// runUpgrade checks the command line and upgrades.
func (o *ssoOptions) runUpgrade(cmd *cobra.Command, profiles []string) error {
	for _, name := range []string{
		"sso-start-url", "sso-region", "sso-registration-scopes", "sso-account-id", "sso-role-name", "output",
		"flow", "use-device-code", "no-browser", "redirect-port",
	} {
		if o.Given(name) {
			return fault.New(fault.Usage, app.HelpHint(cmd), "--%s and --upgrade contradict each other: the profile keeps what it has, and nobody signs in", name)
		}
	}
	u := upgrade.Options{App: o.App, SSOSession: o.SSOSession, Yes: o.yes}
	return u.Run(cmd.Context(), profiles)
}
