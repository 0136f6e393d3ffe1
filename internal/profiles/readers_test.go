package profiles

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	sdkconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/testtools"
)

// What botocore and the Go SDK read in the three forms.
func TestOtherReaders(t *testing.T) {
	t.Parallel()
	python := testtools.Python(t)
	grants := []Grant{grant("011111111111", "Acme [Prod]\n", "Admin"), grant("222222222222", "Zürich", "x+y@z.a_b-c")}
	for _, form := range []Form{FormSession, FormLegacy, FormProcess} {
		_, out := planned(t, corpSection, grants, Options{
			Session: corp, Form: form, Program: "/opt/it's #1/homing", Defaults: []Default{{Match: "*", Output: "yaml"}},
		})
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		var read struct {
			Profiles map[string]map[string]string `json:"profiles"`
		}
		cmd := exec.CommandContext(
			t.Context(),
			python,
			"-c",
			"import botocore.configloader, json, sys; print(json.dumps(botocore.configloader.load_config(sys.argv[1])))",
			file,
		)
		answer, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(answer, &read)
		}
		if err != nil {
			t.Fatalf("botocore: %v\n%s", err, answer)
		}
		if len(read.Profiles) != 2 {
			t.Fatalf("botocore reads %v", read.Profiles)
		}
		for i, name := range []string{"acme-prod-Admin", "zurich-x+y@z.a_b-c"} {
			g, p := grants[i], read.Profiles[name]
			sdk, err := sdkconfig.LoadSharedConfigProfile(
				t.Context(),
				name,
				func(o *sdkconfig.LoadSharedConfigOptions) {
					o.ConfigFiles, o.CredentialsFiles = []string{file}, []string{}
				},
			)
			if err != nil {
				t.Fatalf("the Go SDK: %v", err)
			}
			want := map[string]string{keyRegion: "eu-west-1", keyOutput: "yaml"}
			switch form {
			case FormSession:
				want[keySession] = "corp"
				if sdk.SSOSession == nil || sdk.SSOSession.SSOStartURL != corp.StartURL {
					t.Errorf("the Go SDK reads the session %+v", sdk.SSOSession)
				}
			case FormLegacy:
				want[keyURL], want[keySSO] = corp.StartURL, "eu-west-1"
				if sdk.SSOStartURL != corp.StartURL || sdk.SSORegion != "eu-west-1" {
					t.Errorf("the Go SDK reads %q, %q", sdk.SSOStartURL, sdk.SSORegion)
				}
			case FormProcess:
				want[keyProcess] = FormProcessLine("/opt/it's #1/homing", "corp", g)
				if sdk.CredentialProcess != want[keyProcess] {
					t.Errorf("the Go SDK reads %q", sdk.CredentialProcess)
				}
			}
			if form != FormProcess {
				want[keyAccount], want[keyRole] = g.Account.ID, g.Role
				if sdk.SSOAccountID != g.Account.ID || sdk.SSORoleName != g.Role {
					t.Errorf("the Go SDK reads %q, %q", sdk.SSOAccountID, sdk.SSORoleName)
				}
			}
			if len(p) != len(want) || sdk.Region != "eu-west-1" {
				t.Errorf("%s: botocore reads %v", form, p)
			}
			for key, value := range want {
				if p[key] != value {
					t.Errorf("%s: botocore reads %s = %q, not %q", form, key, p[key], value)
				}
			}
		}
	}
}

// hardPaths are folders that a program may be in.
var hardPaths = []string{
	"plain", "two words", "it's", `a "b" c`, "a #b", "a ;b", "a  ;#c", "#x", "$HOME `id` $(id)", `back\slash`, `end\`, "ünï", "a&b|c>d<e", "~x", "*?[a]", "{a,b}", "!x", "a=b", "%PATH%", "'", "''", " lead", "trail ", "' #'",
}

// The program is found, and gets its arguments, whatever the folder is called: by Python's shlex, as botocore does
// it, and by sh -c, as the Go and JavaScript SDKs do it, from what each of them reads in the file. We read it too.
func TestProgramPaths(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("folders of Windows cannot have these names; TestWindowsProgram is about that")
	}
	python := testtools.Python(t)
	g := grant("111111111111", "prod", "Admin+x=y,z@a.b-c")
	const want = "credentials|--sso-session|my corp's|--account-id|111111111111|--role-name|Admin+x=y,z@a.b-c|"
	spaced := corp
	spaced.Name = "my corp's"
	root := t.TempDir()
	for i, folder := range hardPaths {
		dir := filepath.Join(root, folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		program := filepath.Join(dir, "homing")
		if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf '%s|' \"$@\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		line := FormProcessLine(program, spaced.Name, g)
		file := filepath.Join(root, fmt.Sprintf("config%d", i)) // botocore expands variables in its path
		src, err := configedit.Apply(nil,
			configedit.Edit{Section: section("p"), Set: []configedit.KeyValue{{Key: keyProcess, Value: line}}})
		if err != nil {
			t.Errorf("%q: %v", folder, err)
			continue
		}
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		sdk, err := sdkconfig.LoadSharedConfigProfile(t.Context(), "p", func(o *sdkconfig.LoadSharedConfigOptions) {
			o.ConfigFiles, o.CredentialsFiles = []string{file}, []string{}
		})
		if err != nil {
			t.Fatal(err)
		}
		const botocore = `import botocore.configloader, botocore.compat, subprocess, sys
line = botocore.configloader.load_config(sys.argv[1])["profiles"]["p"]["credential_process"]
sys.stdout.write(subprocess.run(botocore.compat.compat_shell_split(line), capture_output=True, check=True, text=True).stdout)`
		for name, cmd := range map[string]*exec.Cmd{
			"sh":       exec.CommandContext(t.Context(), "/bin/sh", "-c", sdk.CredentialProcess),
			"botocore": exec.CommandContext(t.Context(), python, "-c", botocore, file),
		} {
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != want {
				t.Errorf("%q by %s: %q, %v\n%s", folder, name, out, err, line)
			}
		}
		words := split(line)
		if len(words) == 0 || words[0] != program || strings.Join(words[1:], "|")+"|" != want {
			t.Errorf("%q: we read %q", folder, words)
		}
		r := reader{spaced}
		if a := r.readProcess(line); !a.direct || !a.ours || a.account != "111111111111" || a.role != g.Role {
			t.Errorf("%q: we read %+v", folder, a)
		}
	}
}

func TestWindowsProgram(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		`C:\tools\homing.exe`:                 `C:\tools\homing.exe`,
		`C:\Program Files\homing\homing.exe`:  `"C:\Program Files\homing\homing.exe"`,
		`\\server\share\it's here\homing.exe`: `"\\server\share\it's here\homing.exe"`,
		`C:/tools/homing.exe`:                 `C:/tools/homing.exe`,
		`C:\100%\homing.exe`:                  "",
		`C:\a #b\homing.exe`:                  "",
		`homing.exe`:                          "", `tools\homing.exe`: "", "": "", "/a\x00b": "", "/a\u202eb": "", "C:\\a\nb": "",
	} {
		if got := commandLine(program); got != want {
			t.Errorf("%q is written %q, not %q", program, got, want)
		}
		if want == "" {
			continue
		}
		words := split(FormProcessLine(program, "corp", grant("1", "a", "b")))
		if !slices.Equal(words,
			[]string{program, "credentials", "--sso-session", "corp", "--account-id", "1", "--role-name", "b"}) {
			t.Errorf("%q: we read %q", program, words)
		}
	}
}

// What people write for homing counts, and nothing else does.
func TestReadProcess(t *testing.T) {
	t.Parallel()
	r := reader{corp}
	for line, want := range map[string]bool{
		"homing credentials --sso-session corp --account-id 1 --role-name r":              true,
		"homing credentials --role-name=r --account-id=1 --sso-session=corp --min-ttl 5m": true,
		"homing credentials --sso-session same --account-id 1 --role-name r":              false,
		`"/a b/homing" credentials --sso-session corp --account-id 1 --role-name 'r'`:     true,
		`C:\x\HOMING.EXE credentials --sso-session corp --account-id 1 --role-name r`:     true,
		"homing credentials --sso-session other --account-id 1 --role-name r":             false,
		"homing credentials --sso-session corp --account-id 1":                            false,
		"homing credentials --profile p":                                                  false,
		"homing credentials":                                                              false,
		"homing exec credentials --sso-session corp --account-id 1 --role-name r":         false,
		"nothoming credentials --sso-session corp --account-id 1 --role-name r":           false,
		"homing credentials --sso-session corp --account-id 1 --role-name 'r":             false,
		"sh -c 'homing credentials --sso-session corp --account-id 1 --role-name r'":      false,
		"": false,
	} {
		if a := r.readProcess(line); a.direct && a.ours != want && want || (a.direct && a.ours) != want {
			t.Errorf("%s: %+v", line, a)
		}
	}
}
