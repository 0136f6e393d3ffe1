//go:build !windows

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/testtools"
)

const tabConfig = `[sso-session dev]
sso_start_url = https://d-9067f00d42.awsapps.com/start
sso_region = us-east-1
[profile prod-admin]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Admin
region = eu-west-1
[profile sandbox]
sso_session = dev
sso_account_id = 444455556666
sso_role_name = ReadOnly
[profile "my profile"]
region = eu-west-1
[profile team:ops]
region = eu-west-1
[profile "x$(touch pwned)y"]
region = eu-west-1
[profile "x$(touch pwned)z"]
region = eu-west-1
`

// tabShells are the shells that people press Tab in, each with how it starts and how it loads the completion.
var tabShells = map[string]struct {
	args []string
	load string
}{
	"bash": {
		[]string{"--norc", "--noprofile", "-i"},
		"bind 'set bell-style none' 'set show-all-if-ambiguous on'; source <(homing completion bash)",
	},
	"zsh":  {[]string{"-f", "-i"}, "autoload -Uz compinit; compinit -u -D; source <(homing completion zsh)"},
	"fish": {[]string{"--no-config", "-i"}, "homing completion fish | source"},
}

// tabs are what is typed, Tab pressed behind it, and the words that the shell then has.
var tabs = []struct {
	typed string
	words []string
}{
	{"homing cons", []string{"homing", "console"}},
	{"homing credentials --profile prod", []string{"homing", "credentials", "--profile", "prod-admin"}},
	{"homing env --profile=sand", []string{"homing", "env", "--profile=sandbox"}},
	{"homing credentials --profile my", []string{"homing", "credentials", "--profile", "my profile"}},
	{"homing credentials --profile team:o", []string{"homing", "credentials", "--profile", "team:ops"}},
	{"homing login --sso-session d", []string{"homing", "login", "--sso-session", "dev"}},
	{
		"homing console --profile sandbox --region eu-nor",
		[]string{"homing", "console", "--profile", "sandbox", "--region", "eu-north-1"},
	},
	{"homing credentials --format power", []string{"homing", "credentials", "--format", "powershell"}},
	{
		"homing env --sso-session dev --account-id 1",
		[]string{"homing", "env", "--sso-session", "dev", "--account-id", "111122223333"},
	},
	{
		"homing env --account-id 444455556666 --role-name ",
		[]string{"homing", "env", "--account-id", "444455556666", "--role-name", "ReadOnly"},
	},
	{"homing serve prod-admin s", []string{"homing", "serve", "prod-admin", "sandbox"}},
	{
		"homing credentials --profile x",
		[]string{"homing", "credentials", "--profile", "x"},
	}, // two Tabs would run what is in the names
}

// TestTab presses Tab in the shells themselves, and has them say which words they then have.
func TestTab(t *testing.T) {
	t.Parallel()
	for shell, how := range tabShells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			program := testtools.Program(t, shell, shell)
			home := tabHome(t)
			x := openProgram(t, tabVars(t, home), program, how.args...)
			x.send("cd ~; " + how.load + "; printf '%s\\n' load''ed\r")
			x.expect("loaded\r\n")
			for _, tt := range tabs {
				// Ctrl-A puts what follows in front of what was completed, which the shell then takes apart as it
				// would to run it.
				x.send(tt.typed + "\t\t")
				x.send("\x01printf '<%s>' \x05; printf '%s\\n' do''ne\r")
				x.expect("<" + strings.Join(tt.words, "><") + ">done")
			}
			// what the names are for stands beside them
			x.send("homing credentials --profile \t\t")
			x.expect("111122223333 Admin")
			x.send("\x15") // Ctrl-U: the line is empty again
			// a file that the AWS CLI cannot load still has names, and nothing is said of it
			if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(tabConfig+"[profile sandbox]\nno line\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			x.send("homing env --profile sand\t")
			x.send("\x01printf '<%s>' \x05; printf '%s\\n' do''ne\r")
			x.expect("<homing><env><--profile><sandbox>done")
			x.send("exit\r")
			screen := x.end(0)
			for _, word := range []string{"command not found", "Unknown command", "cannot load", "Completion ended"} {
				if strings.Contains(screen, word) {
					t.Errorf("%q on the screen:\n%s", word, screen)
				}
			}
			if _, err := os.Stat(filepath.Join(home, "pwned")); err == nil {
				t.Error("the shell ran what is in a name")
			}
		})
	}
}

// tabHome is a home folder with names to complete.
func tabHome(t *testing.T) string {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(tabConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return home
}

// tabVars lead a shell to homing and to that home.
func tabVars(t *testing.T, home string) map[string]string {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "homing")); err != nil {
		testtools.Missing(t, "the right to make symbolic links", "developer mode, on Windows: "+err.Error())
	}
	return map[string]string{
		"HOME":   home,
		"PATH":   bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"PS1":    "$ ",
		"LC_ALL": "C.UTF-8",
	}
}

// TestBashWordsWithPackage has bash complete with the functions of the package bash-completion in place, which then
// do what the script does by itself otherwise.
func TestBashWordsWithPackage(t *testing.T) {
	t.Parallel()
	bash := testtools.Program(t, "bash", "bash")
	x := openProgram(t, tabVars(t, tabHome(t)), bash, "--norc", "--noprofile", "-i")
	x.send(
		"_get_comp_words_by_ref() { words=(homing env --profile sand) cword=3 cur=sand prev=--profile; asked=yes; }\r",
	)
	x.send("source <(homing completion bash); printf '%s\\n' load''ed\r")
	x.expect("loaded\r\n")
	x.send("homing env --profile sand\t")
	x.send("\x01printf '<%s>' \x05$asked; printf '%s\\n' do''ne\r")
	x.expect("<homing><env><--profile><sandbox><yes>done")
	x.send("exit\r")
	x.end(0)
}

// TestPowerShellCompletion holds the script for PowerShell, which is not run here.
func TestPowerShellCompletion(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run(t.Context(), app.Env{Args: []string{"completion", "powershell"}, Stdout: &out, Stderr: &errs,
		Home: t.TempDir()}); code != 0 ||
		errs.Len() > 0 {
		t.Fatalf("%d: %s", code, &errs)
	}
	golden(t, "completion/powershell.ps1", out.String())
}
