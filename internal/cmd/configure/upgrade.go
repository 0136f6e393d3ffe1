package configure

import (
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/upgrade"
	"github.com/spf13/cobra"
)

// registerUpgrade adds the flags of --upgrade to cmd, and the arguments that it takes.
func (o *ssoOptions) registerUpgrade(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.upgrade, "upgrade", false,
		"turn the legacy profiles given as arguments into profiles of an [sso-session]")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "with --upgrade: change the file without asking")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if o.upgrade {
			return nil
		}
		return app.NoArgs(cmd, args)
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cfg, err := o.app.Config()
		if err != nil || !o.upgrade {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return upgrade.LegacyProfiles(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}

// runUpgrade refuses the wizard's flags, then upgrades profiles.
func (o *ssoOptions) runUpgrade(cmd *cobra.Command, profiles []string) error {
	for _, name := range []string{
		"sso-start-url", "sso-region", "sso-registration-scopes", "sso-account-id", "sso-role-name", "output",
		"flow", "use-device-code", "no-browser", "redirect-port",
	} {
		if o.Given(name) {
			return fault.New(fault.Usage, app.HelpHint(cmd),
				"--%s and --upgrade contradict each other: "+
					"an upgrade keeps the profile's settings and does not sign in", name)
		}
	}
	u := upgrade.Options{App: o.app, SSOSession: o.SSOSession, Yes: o.yes}
	return u.Run(cmd.Context(), profiles)
}
