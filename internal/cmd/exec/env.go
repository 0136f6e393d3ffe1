package exec

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
)

// credentialVariables select the credentials of a program. An SDK may prefer one of them to what exec sets, so the
// command inherits none. The list includes those that exec sets itself.
var credentialVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
	"AWS_SECURITY_TOKEN",               // botocore prefers it to AWS_SESSION_TOKEN
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", // older names
	"AMAZON_ACCESS_KEY_ID", "AMAZON_SECRET_ACCESS_KEY", "AMAZON_SESSION_TOKEN", // the same, for Ruby
	"AWS_CREDENTIAL_FILE",                // a file with keys: botocore prefers it to an endpoint
	"AWS_ACCOUNT_ID",                     // the account of those keys: some SDKs build endpoints from it
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", // some tools prefer a named profile to keys
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", // .NET prefers these to keys
	"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}

// bearerPrefix starts the names of API keys for one service (AWS_BEARER_TOKEN_BEDROCK), which SDKs prefer to
// credentials.
const bearerPrefix = "AWS_BEARER_TOKEN_"

// selectsCredentials reports whether a variable could override the credentials that exec sets.
func selectsCredentials(name string) bool {
	return strings.HasPrefix(name, bearerPrefix) || slices.Contains(credentialVariables, name)
}

// childCommand is a command that exec runs.
type childCommand struct {
	app  *app.App
	path string
	argv []string
	env  []string // NAME=VALUE
}

// newChildCommand prepares argv to run as the role of a profile: with the environment of this process, without
// variables that select credentials, and with the region of the profile unless another one is set.
func newChildCommand(a *app.App, path string, argv []string, profile string) *childCommand {
	c := &childCommand{app: a, path: path, argv: argv}
	if a.Env.Environ != nil {
		c.env = slices.Clone(a.Env.Environ())
	}
	var cleared []string
	for _, v := range c.env {
		if name, value, _ := strings.Cut(v, "="); selectsCredentials(variableName(name)) && value != "" {
			cleared = append(cleared, name)
		}
	}
	c.env = slices.DeleteFunc(c.env, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return selectsCredentials(variableName(name))
	})
	if len(cleared) > 0 {
		slices.Sort(cleared)
		a.UI.Debug("not passed on, since it could override the profile: %s", strings.Join(cleared, ", "))
	}
	// An outer exec may remove its files before this command ends.
	if paths, inside := app.OuterPaths(a.Env.Getenv); inside {
		c.set("AWS_CONFIG_FILE", paths.Config)
		c.set("AWS_SHARED_CREDENTIALS_FILE", paths.Credentials)
	}
	for _, name := range []string{app.VarCopy, app.VarConfig, app.VarCredentials} {
		c.unset(name)
	}
	c.dropSettings()
	c.setRegion(profile)
	c.set(app.VarProfile, profile)
	return c
}

// setRegion sets AWS_REGION and AWS_DEFAULT_REGION (boto3 reads only the second). --region overrides both. Otherwise
// a variable that is not set gets the value of the other one, else the region of the profile. A value that an outer
// exec set counts as not set.
func (c *childCommand) setRegion(profile string) {
	a, outer := c.app, c.app.Env.Getenv(app.VarRegion)
	given := func(name string) string {
		if v := a.Env.Getenv(name); v != outer && a.Flags.Region == "" {
			return v
		}
		return ""
	}
	region, ours := cmp.Or(given("AWS_REGION"), given("AWS_DEFAULT_REGION")), false
	if region == "" {
		region, ours = a.Flags.Region, true
	}
	if region == "" && a.Loaded != nil {
		if p, err := a.Loaded.SSO(profile); err == nil {
			region = p.Region
		}
	}
	c.unset(app.VarRegion)
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		switch {
		case given(name) != "":
		case region == "":
			c.unset(name)
		default:
			c.set(name, region)
		}
	}
	if ours && region != "" {
		c.set(app.VarRegion, region)
	}
}

// set sets a variable of the command.
func (c *childCommand) set(name, value string) {
	c.unset(name)
	c.env = append(c.env, name+"="+value)
}

// unset removes a variable of the command.
func (c *childCommand) unset(name string) {
	c.env = slices.DeleteFunc(c.env, func(v string) bool {
		was, _, _ := strings.Cut(v, "=")
		return variableName(was) == variableName(name)
	})
}

// variableName returns the name to compare: Windows ignores letter case.
func variableName(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

// process returns the command as a child process.
func (c *childCommand) process() *exec.Cmd {
	env := c.app.Env
	cmd := &exec.Cmd{
		Path: c.path, Args: c.argv, Env: c.env, Stdin: env.Stdin, Stdout: env.Stdout, Stderr: env.Stderr,
	}
	if f := env.Files; f != ([3]*os.File{}) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = f[0], f[1], f[2] // the files themselves: a terminal stays a terminal
	}
	return cmd
}

// absolute returns path made absolute, if possible: the command may run in another folder.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
