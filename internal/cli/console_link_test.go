package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/browser"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/editortest"
	"github.com/homing-cli/homing/internal/testtools"
)

const threeProfiles = `[sso-session dev]
sso_start_url = https://d-9067f00d42.awsapps.com/start
sso_region = us-east-1
[profile staging]
sso_session = dev
sso_account_id = 222222222222
sso_role_name = Admin
[profile prod]
sso_session = dev
sso_account_id = 111111111111
sso_role_name = ReadOnly
[profile prod-admin]
sso_session = dev
sso_account_id = 111111111111
sso_role_name = Admin
`

const consoleURL = "https://d-9067f00d42.awsapps.com/start/#/console?account_id=111111111111&role_name=ReadOnly"

// consoleEnv is a machine without a browser whose config has threeProfiles.
func consoleEnv(t *testing.T, args ...string) (env app.Env, out, errs *bytes.Buffer) {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(threeProfiles), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	return app.Env{
		Args:   append([]string{"console", "--profile", "prod"}, args...),
		Home:   home,
		Stdout: out,
		Stderr: errs,
	}, out, errs
}

// TestConsoleOpens opens the link by the editor's window, as login does, and prints it all the same.
func TestConsoleOpens(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "homing-") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	asked := make(chan string, 1)
	window, err := editortest.New(dir,
		editortest.Options{Client: editortest.Web, Open: func(url string) { asked <- url }})
	if err != nil {
		testtools.Missing(t, "a Unix socket for the editor's window", "run it on a system that has them: "+err.Error())
	}
	t.Cleanup(window.Close)
	env, out, errs := consoleEnv(t)
	env.FindEditor = func(ctx context.Context) (editor.Window, []editor.Try, bool) {
		return editor.Find(
			ctx,
			editor.Places{
				Getenv: env.Getenv,
				Dirs:   []string{dir},
				UID:    -1,
				Tmux:   func(context.Context, string) (string, bool) { return "", false },
			},
		)
	}
	env.LookupEnv = func(name string) (string, bool) {
		v, ok := map[string]string{"VSCODE_IPC_HOOK_CLI": window.Path}[name]
		return v, ok
	}
	env.OpenBrowser = func(ctx context.Context, url string, w *editor.Window) error {
		return browser.Opener{Window: w}.Open(ctx, url)
	}
	env.CanOpen = func(_ context.Context, w *editor.Window) bool { return browser.Opener{Window: w}.Any() }
	if code := run(t.Context(), env); code != 0 || out.String() != consoleURL+"\n" ||
		!strings.Contains(errs.String(), "in your browser") {
		t.Fatalf("%d: %s%s", code, out, errs)
	}
	if url := <-asked; url != consoleURL {
		t.Errorf("the window was asked for %s", url)
	}
}

// TestConsoleDoesNotOpen prints the link where nothing opens it, and says so.
func TestConsoleDoesNotOpen(t *testing.T) {
	t.Parallel()
	var opened []string
	opens := func(err error) func(context.Context, string, *editor.Window) error {
		return func(_ context.Context, url string, _ *editor.Window) error {
			opened = append(opened, url)
			return err
		}
	}
	can := func(yes bool) func(context.Context, *editor.Window) bool {
		return func(context.Context, *editor.Window) bool { return yes }
	}
	for name, tt := range map[string]struct {
		open   func(context.Context, string, *editor.Window) error
		can    func(context.Context, *editor.Window) bool
		args   []string
		said   string
		opened bool
	}{
		"no browser":   {opens(nil), can(false), nil, "homing cannot open a browser from here. Open this address in yours:\n", false},
		"none at all":  {nil, nil, nil, "homing cannot open a browser from here. Open this address in yours:\n", false},
		"broken":       {opens(errors.New("no display")), can(true), nil, "The browser did not open. Open the address yourself.\n", true},
		"not asked":    {opens(nil), can(true), []string{"--no-browser"}, "", false},
		"opens":        {opens(nil), can(true), nil, "Opening the console in your browser, as role \"ReadOnly\" in account 111111111111.\n", true},
		"json":         {opens(nil), can(true), []string{"--json"}, "", true},
		"json, broken": {opens(errors.New("no display")), can(true), []string{"--json"}, "", true},
	} {
		opened = nil
		env, out, errs := consoleEnv(t, tt.args...)
		env.OpenBrowser, env.CanOpen = tt.open, tt.can
		if code := run(t.Context(), env); code != 0 || !strings.HasSuffix(errs.String(), tt.said) ||
			tt.said == "" && !strings.Contains(name, "json") && errs.Len() > 0 {
			t.Errorf("%s: %d: %s", name, code, errs)
		}
		if !strings.Contains(name, "json") && out.String() != consoleURL+"\n" {
			t.Errorf("%s: stdout: %s", name, out)
		}
		if taken := strings.Contains(out.String(), `"opened": true`); strings.Contains(name, "json") &&
			taken != (name == "json") {
			t.Errorf("%s: stdout: %s", name, out)
		}
		if len(opened) > 0 != tt.opened || tt.opened && opened[0] != consoleURL {
			t.Errorf("%s: opened %q", name, opened)
		}
	}
}

// An interrupt while the browser starts ends with 130, after the link.
func TestConsoleInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	env, out, _ := consoleEnv(t)
	env.OpenBrowser = func(ctx context.Context, _ string, _ *editor.Window) error {
		cancel()
		return ctx.Err()
	}
	if code := run(ctx, env); code != 130 || out.String() != consoleURL+"\n" {
		t.Errorf("%d: %s", code, out)
	}
}
