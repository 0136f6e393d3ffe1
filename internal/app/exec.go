package app

import (
	"cmp"
	"context"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/editor"
)

// ClientRegion returns the region a client works in, as the AWS CLI finds it: --region, then the environment, then
// profile's own. A region that an outer exec set for its profile does not count.
func (a *App) ClientRegion(profile string) string {
	variable := func(name string) string {
		if v := a.Env.Getenv(name); v != a.Env.Getenv(VarRegion) {
			return v
		}
		return ""
	}
	return cmp.Or(a.Flags.Region, variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"), profile)
}

// Opener returns a function that opens an address in the person's browser, or nil if there is nothing to try. window
// is the editor's, or nil.
func (a *App) Opener(ctx context.Context, window *editor.Window) func(context.Context, string) error {
	if a.Env.OpenBrowser == nil || a.Env.CanOpen != nil && !a.Env.CanOpen(ctx, window) {
		return nil
	}
	return func(ctx context.Context, url string) error { return a.Env.OpenBrowser(ctx, url, window) }
}

// The variables by which exec tells a homing that its command starts what it has set.
const (
	VarProfile     = "HOMING_PROFILE"               // whose credentials the command has; a shell prompt may show it
	VarRegion      = "HOMING_EXEC_REGION"           // the region that exec set
	VarCopy        = "HOMING_EXEC_COPY"             // the copy of the config file that exec --renew made
	VarConfig      = "HOMING_EXEC_CONFIG_FILE"      // the file it is a copy of
	VarCredentials = "HOMING_EXEC_CREDENTIALS_FILE" // the credentials file beside that
)

// OuterPaths returns the person's own config and credentials files if this process runs inside exec --renew, whose
// command sees a copy of them without credentials.
func OuterPaths(getenv func(string) string) (awsconfig.Paths, bool) {
	made := getenv(VarCopy)
	if made == "" || made != getenv("AWS_CONFIG_FILE") || getenv(VarConfig) == "" {
		return awsconfig.Paths{}, false
	}
	return awsconfig.Paths{Config: getenv(VarConfig), Credentials: getenv(VarCredentials)}, true
}

// VarSettings is the prefix of the variables in which exec records what it set other variables to. An inner exec for
// another profile undoes those settings, and a homing inside does not mistake them for the person's.
const VarSettings = "HOMING_EXEC_"

// ownVariable returns a variable as the person set it, or "" if an outer exec set it for its profile.
func (a *App) ownVariable(name string) string {
	v := a.Env.Getenv(name)
	if v != "" && strings.HasPrefix(name, "AWS_") && v == a.Env.Getenv(VarSettings+name) {
		return ""
	}
	return v
}
