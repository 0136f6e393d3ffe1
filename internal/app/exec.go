package app

import (
	"cmp"
	"context"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/editor"
)

// ClientRegion is the region in which a client works: --region, then the environment, then what the profile says, as in the
// AWS CLI. What an outer exec has set for its own profile is not the person's word.
func (a *App) ClientRegion(profile string) string {
	variable := func(name string) string {
		if v := a.Env.Getenv(name); v != a.Env.Getenv(VarRegion) {
			return v
		}
		return ""
	}
	return cmp.Or(a.Flags.Region, variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"), profile)
}

// Opener returns what shows an address to the person, nil where nothing would be tried; window is the editor's.
func (a *App) Opener(ctx context.Context, window *editor.Window) func(context.Context, string) error {
	if a.Env.OpenBrowser == nil || a.Env.CanOpen != nil && !a.Env.CanOpen(ctx, window) {
		return nil
	}
	return func(ctx context.Context, url string) error { return a.Env.OpenBrowser(ctx, url, window) }
}

// The variables that tell a homing inside of exec where it is.
const (
	VarProfile     = "HOMING_PROFILE"               // whose credentials the command has; a prompt may show it
	VarRegion      = "HOMING_EXEC_REGION"           // the region that exec has set
	VarCopy        = "HOMING_EXEC_COPY"             // the copy of the config file that exec --renew has made …
	VarConfig      = "HOMING_EXEC_CONFIG_FILE"      // … of this one
	VarCredentials = "HOMING_EXEC_CREDENTIALS_FILE" // and the credentials file beside it
)

// OuterPaths are the config and credentials files of the person where this process runs inside of exec --renew, whose
// command sees a copy without credentials.
func OuterPaths(getenv func(string) string) (awsconfig.Paths, bool) {
	made := getenv(VarCopy)
	if made == "" || made != getenv("AWS_CONFIG_FILE") || getenv(VarConfig) == "" {
		return awsconfig.Paths{}, false
	}
	return awsconfig.Paths{Config: getenv(VarConfig), Credentials: getenv(VarCredentials)}, true
}

// VarSettings begins the names of the variables that hold what exec has set others to: an inner exec, for another profile,
// takes that back, and a homing inside does not take it for the person's word.
const VarSettings = "HOMING_EXEC_"

// ownVariable is a variable as the person set it: "" for what an outer exec has set for its profile.
func (a *App) ownVariable(name string) string {
	v := a.Env.Getenv(name)
	if v != "" && strings.HasPrefix(name, "AWS_") && v == a.Env.Getenv(VarSettings+name) {
		return ""
	}
	return v
}
