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

// foreignVariables would let the command act as somebody else: an SDK that finds one of them takes it before, or beside,
// what exec gives. Those that exec sets itself are here too.
var foreignVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
	"AWS_SECURITY_TOKEN",               // botocore takes it for the session token first
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", // older names
	"AMAZON_ACCESS_KEY_ID", "AMAZON_SECRET_ACCESS_KEY", "AMAZON_SESSION_TOKEN", // the same, for Ruby
	"AWS_CREDENTIAL_FILE",                // a file with keys: botocore asks it before an endpoint
	"AWS_ACCOUNT_ID",                     // of those keys: some SDKs make endpoints of it
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE", // some tools take a named profile before keys
	"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", // .NET asks it before keys
	"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
}

// foreignPrefix begins the names of API keys for one service (AWS_BEARER_TOKEN_BEDROCK), which SDKs take before credentials.
const foreignPrefix = "AWS_BEARER_TOKEN_"

func foreign(name string) bool {
	return strings.HasPrefix(name, foreignPrefix) || slices.Contains(foreignVariables, name)
}

// childCommand is a command that exec runs.
type childCommand struct {
	App  *app.App
	path string
	argv []string
	env  []string // NAME=VALUE
}

// command prepares argv to run as the role of a profile: the environment of this process without what others left there,
// with the region of the profile where it says none.
func command(a *app.App, path string, argv []string, profile string) *childCommand {
	c := &childCommand{App: a, path: path, argv: argv}
	if a.Env.Environ != nil {
		c.env = slices.Clone(a.Env.Environ())
	}
	var cleared []string
	for _, v := range c.env {
		if name, value, _ := strings.Cut(v, "="); foreign(variableName(name)) && value != "" {
			cleared = append(cleared, name)
		}
	}
	c.env = slices.DeleteFunc(c.env, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return foreign(variableName(name))
	})
	if len(cleared) > 0 {
		slices.Sort(cleared)
		a.UI.Debug("not passed on, since it could win over the profile: %s", strings.Join(cleared, ", "))
	}
	if paths, inside := app.OuterPaths(a.Env.Getenv); inside { // the copy is of another command, and may go before this one does
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

// setRegion sets AWS_REGION and AWS_DEFAULT_REGION (boto3 reads only the second) where they are not set: to what the other
// one says, else to the region of the profile. What an outer exec has set counts as not set. --region wins over all.
func (c *childCommand) setRegion(profile string) {
	a, outer := c.App, c.App.Env.Getenv(app.VarRegion)
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

// set gives the command a variable.
func (c *childCommand) set(name, value string) {
	c.unset(name)
	c.env = append(c.env, name+"="+value)
}

func (c *childCommand) unset(name string) {
	c.env = slices.DeleteFunc(c.env, func(v string) bool {
		was, _, _ := strings.Cut(v, "=")
		return variableName(was) == variableName(name)
	})
}

// variableName makes names comparable: Windows does not tell letter cases apart.
func variableName(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

// process is the command for a parent that stays.
func (c *childCommand) process() *exec.Cmd {
	cmd := &exec.Cmd{Path: c.path, Args: c.argv, Env: c.env, Stdin: c.App.Env.Stdin, Stdout: c.App.Env.Stdout, Stderr: c.App.Env.Stderr}
	if f := c.App.Env.Files; f != ([3]*os.File{}) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = f[0], f[1], f[2] // the very same, so that a terminal is one for the command too
	}
	return cmd
}

// fromAnywhere makes a path absolute, for a command that may go to another folder.
func fromAnywhere(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
