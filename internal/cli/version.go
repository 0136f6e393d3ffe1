package cli

import (
	"runtime"

	"github.com/homing-cli/homing/internal/app"
	"github.com/spf13/cobra"
)

func newVersionCmd(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of homing and what it was built with",
		Args:  app.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			built := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
			if a.Flags.JSON {
				return a.UI.Document(struct {
					Version string `json:"version"`
					Go      string `json:"go"`
					OS      string `json:"os"`
					Arch    string `json:"arch"`
				}{app.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
			}
			a.UI.Answer("homing %s (%s)\n", app.Version(), built)
			return nil
		},
	}
}
