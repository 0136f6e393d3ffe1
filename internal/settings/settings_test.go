package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/testtools"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if k, v, _ := strings.Cut(pair, "="); k == name {
				return v
			}
		}
		return ""
	}
}

// write puts text into a new file and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingIsSet(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{},
		{ConfigFile: filepath.Join(t.TempDir(), "no", "config.toml"), PolicyFile: filepath.Join(t.TempDir(), "policy.toml"), Getenv: env("HOMING_FLOW=")},
		{ConfigFile: write(t, "config.toml", "")},
		{ConfigFile: write(t, "config.toml", "[session.dev]\n[session.\"a.b\"]\n"), PolicyFile: write(t, "policy.toml", "# nothing\n")},
	} {
		s, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		if s.Flow.IsSet() || s.RedirectPort.IsSet() || s.NoBrowser.IsSet() || s.Flow.Where() != "" {
			t.Errorf("%+v: something is set: %+v", o, s)
		}
		if !s.Policy.Allows(session.PKCE) || !s.Policy.Allows(session.Device) ||
			s.Policy.Forbids(session.Device) != "" {
			t.Errorf("%+v: something is forbidden: %+v", o, s.Policy)
		}
	}
}

// The strongest source of each value wins, and the weaker ones are still told.
func TestLayers(t *testing.T) {
	t.Parallel()
	const text = "\xef\xbb\xbf# by hand\r\nflow = \"pkce\"\r\nredirect_port=23456\r\n\r\n[session.dev]\r\nflow = \"device\"\r\n\r\n[session.\"my session\"]\r\nno_browser = true\r\nredirect_port = 0\r\n"
	file := write(t, "config.toml", text)
	chain := func(v Value[session.Flow]) string {
		var all []string
		for p := &v; p != nil && p.IsSet(); p = p.Beats {
			all = append(all, string(p.Value)+" "+strings.TrimPrefix(p.Where(), file))
		}
		return strings.Join(all, " > ")
	}
	for _, tt := range []struct {
		session, env string
		flow         string
		port         string
		noBrowser    bool
	}{
		{"", "", "pkce :2", "23456 :3", false},
		{"other", "", "pkce :2", "23456 :3", false},
		{"dev", "", "device :6 > pkce :2", "23456 :3", false},
		{"my session", "", "pkce :2", "0 :10", true},
		{"dev", "HOMING_FLOW=Auto", "auto HOMING_FLOW > device :6 > pkce :2", "23456 :3", false},
		{"dev", "HOMING_REDIRECT_PORT=7", "device :6 > pkce :2", "7 HOMING_REDIRECT_PORT", false},
		{"my session", "HOMING_NO_BROWSER=No", "pkce :2", "0 :10", false},
		{"", "HOMING_NO_BROWSER=1", "pkce :2", "23456 :3", true},
	} {
		s, err := Load(Options{ConfigFile: file, Getenv: env(tt.env)})
		if err != nil {
			t.Fatal(err)
		}
		s = s.For("dev").For(tt.session) // the last one counts, alone
		port := fmt.Sprint(s.RedirectPort.Value, " ", strings.TrimPrefix(s.RedirectPort.Where(), file))
		if got := chain(s.Flow); got != tt.flow || port != tt.port || s.NoBrowser.Value != tt.noBrowser {
			t.Errorf("session %q, %s: flow %s; port %s; no browser %v", tt.session, tt.env, got, port,
				s.NoBrowser.Value)
		}
		if s.Flow.FromEnv() != strings.HasPrefix(tt.env, "HOMING_FLOW") {
			t.Errorf("%s: flow from a variable: %v", tt.env, s.Flow.FromEnv())
		}
	}
}

// keep_fresh is for all sessions, whatever their tables say, and the variable beats it.
func TestKeepFresh(t *testing.T) {
	t.Parallel()
	file := write(t, "config.toml", "keep_fresh = true\n[session.dev]\nflow = \"pkce\"\n")
	for _, tt := range []struct {
		variable, where string
		want            bool
	}{
		{"", file + ":1", true}, {"HOMING_KEEP_FRESH=no", "HOMING_KEEP_FRESH", false}, {"HOMING_KEEP_FRESH=1", "HOMING_KEEP_FRESH", true},
	} {
		s, err := Load(Options{ConfigFile: file, Getenv: env(tt.variable)})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"", "dev"} {
			if got := s.For(name).KeepFresh; got.Value != tt.want || got.Where() != tt.where {
				t.Errorf("%q, session %q: %v from %s", tt.variable, name, got.Value, got.Where())
			}
		}
	}
}

func TestVariablesThatAreWrong(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"HOMING_FLOW=paste":                         "HOMING_FLOW=paste is none of auto, pkce, device",
		"HOMING_FLOW=\x1b[2Jpkce":                   `HOMING_FLOW="\x1b[2Jpkce" is none of`,
		"HOMING_REDIRECT_PORT=65536":                "HOMING_REDIRECT_PORT=65536 is not a port",
		"HOMING_REDIRECT_PORT=-1":                   "is not a port",
		"HOMING_REDIRECT_PORT=http":                 "is not a port",
		"HOMING_NO_BROWSER=perhaps":                 "is neither yes nor no",
		"HOMING_KEEP_FRESH=perhaps":                 "HOMING_KEEP_FRESH=perhaps is neither yes nor no",
		"HOMING_FLOW=" + strings.Repeat("long", 99): "long… is none of",
	} {
		_, err := Load(Options{Getenv: env(in)})
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), want) || fault.RemedyOf(err) == nil {
			t.Errorf("%s: %v (%v)", in, err, fault.RemedyOf(err))
		}
	}
}

// What is wrong in a file is told with the file, the line and what is known. The path stands for itself.
func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want, remedy string }{
		{"flow = \"pkce\"\nflwo = \"device\"", "PATH:2: unknown key flwo", "did you mean flow? known keys: flow, no_browser, redirect_port, keep_fresh, [profiles], [session.NAME]"},
		{"keep_fresh = 1", "PATH:1: keep_fresh takes true or false", ""},
		{"keep_fresh = true\n[session.dev]\nkeep_fresh = true", "PATH:3: unknown key session.dev.keep_fresh", "known keys: flow, no_browser, redirect_port"},
		{"redirect-port = 1", "PATH:1: unknown key redirect-port", "did you mean redirect_port?"},
		{"\"\" = 1", "PATH:1: unknown key \"\"", ""},
		{"browser = 1", "PATH:1: unknown key browser", "known keys: flow"},
		{"b = 1\n\na = 1", "PATH:1: unknown key b", "known keys: flow"},
		{"Flow = \"pkce\"", "PATH:1: unknown key Flow", "did you mean flow?"},
		{"\n[sessions.dev]\nflow = \"pkce\"", "PATH", "did you mean session?"},
		{"[session.dev]\nflow = \"pkce\"\n\n[session.prod]\nno_browsr = true", "PATH:5: unknown key session.prod.no_browsr", "did you mean no_browser? known keys: flow, no_browser, redirect_port"},
		{"[session.dev.deep]\nx = 1", "unknown key session.dev.deep", ""},
		{"session = 7", "PATH:1: session holds one table a name: [session.NAME]", "{PATH 0}"},
		{"[session]\ndev = \"pkce\"", "PATH:2: session.dev takes a table: [session.dev]", ""},
		{"[[session]]\nname = \"dev\"", "PATH:1: session holds", ""},
		{"flow = \"device-code\"", "PATH:1: flow takes \"auto\", \"pkce\" or \"device\"", "{PATH 1}"},
		{"flow = \"PKCE\"", "PATH:1: flow takes", ""},
		{"# a\n\nflow = true", "PATH:3: flow takes", ""},
		{"flow = [\n\"pkce\"\n]", "PATH:1: flow takes", ""},
		{"redirect_port = \"80\"", "PATH:1: redirect_port takes a port", ""},
		{"redirect_port = 65536", "PATH:1: redirect_port takes a port", ""},
		{"redirect_port = -1", "PATH:1: redirect_port takes a port", ""},
		{"redirect_port = 1.5", "PATH:1: redirect_port takes a port", ""},
		{"no_browser = \"yes\"", "PATH:1: no_browser takes true or false", ""},
		{"[session.dev]\n[session.dev]", "PATH:2: ", "{PATH 0}"},
		{"flow = \"pkce\"\nflow = \"device\"", "PATH:2: ", "{PATH 0}"},
		{"flow = pkce", "PATH:1: ", "{PATH 0}"},
		{"flow = \"pkce", "PATH:1: ", "{PATH 0}"},
		{"flow = \"\xff\"", "PATH:1: ", "{PATH 0}"},
		{"\xff\xfef\x00l\x00o\x00w\x00", "PATH:1: files cannot contain NULL bytes; probably using UTF-16", ""},
		{"\x1b[2J = 1", "PATH:1: ", ""},
		{strings.Repeat("# much\n", 10_000), "PATH is larger than 64 KiB", "{PATH 0}"},
		{strings.Repeat("[", 60_000), "PATH:1: ", ""},
		{"flow = " + strings.Repeat("[", 60_000), "PATH:1: ", ""},
	} {
		file := write(t, "config.toml", tt.text)
		_, err := Load(Options{ConfigFile: file})
		short := tt.text[:min(40, len(tt.text))]
		if err == nil {
			t.Errorf("%q is taken", short)
			continue
		}
		msg, remedy := strings.ReplaceAll(err.Error(), file,
			"PATH"), strings.ReplaceAll(fmt.Sprint(fault.RemedyOf(err)), file, "PATH")
		if fault.KindOf(err) != fault.Config || !strings.Contains(msg, tt.want) ||
			!strings.Contains(remedy, tt.remedy) {
			t.Errorf("%q: %s\nremedy: %s", short, msg, remedy)
		}
		if strings.ContainsAny(msg+remedy, "\x1b\n\x00") {
			t.Errorf("%q: control characters in %q, %q", short, msg, remedy)
		}
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := write(t, "plain", "")
	hidden := write(t, "hidden.toml", "")
	if err := os.Chmod(hidden, 0); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling.toml")
	if err := os.Symlink(filepath.Join(dir, "nothing"), dangling); err != nil {
		testtools.Missing(t, "a file system with symbolic links ("+err.Error()+")", "set TMPDIR to a folder on one")
	}
	cases := map[string]string{
		dir:                            "is a folder, not a file",
		filepath.Join(plain, "x.toml"): "cannot be read: not a directory",
		dangling:                       "is a link to a file that does not exist",
		os.DevNull:                     "is a device, not a file",
	}
	if _, err := os.ReadFile(hidden); errors.Is(err, os.ErrPermission) { // root reads everything
		cases[hidden] = "cannot be read: permission denied"
	}
	if runtime.GOOS == "windows" {
		delete(cases, filepath.Join(plain, "x.toml")) // not there, says that system
	}
	for path, want := range cases {
		for name, o := range map[string]Options{"config": {ConfigFile: path}, "policy": {PolicyFile: path}} {
			_, err := Load(o)
			if fault.KindOf(err) != fault.Config || err.Error() != path+" "+want {
				t.Errorf("%s: %v", name, err)
			}
			if administrator := strings.Contains(fmt.Sprint(fault.RemedyOf(err)), "administers"); administrator != (name == "policy") {
				t.Errorf("%s: remedy %#v", name, fault.RemedyOf(err))
			}
		}
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text         string
		pkce, device string // what forbids it
	}{
		{"", "", ""},
		{"allow_device_code = true", "", ""},
		{"allow_device_code = false", "", "allow_device_code = false in PATH:1"},
		{"\nallowed_flows = [\"pkce\"]", "", `allowed_flows = ["pkce"] in PATH:2`},
		{"allowed_flows = [\"device\"]", `allowed_flows = ["device"] in PATH:1`, ""},
		{"allowed_flows = [\n  \"device\",\n  \"pkce\"\n]", "", ""},
		{"allowed_flows = [\"pkce\", \"device\"]\nallow_device_code = false", "", "allow_device_code = false in PATH:2"},
		{"allowed_flows = [\"device\"]\nallow_device_code = false", `allowed_flows = ["device"] in PATH:1`, "allow_device_code = false in PATH:2"},
	} {
		file := write(t, "policy.toml", tt.text)
		s, err := Load(Options{PolicyFile: file})
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		said := func(flow session.Flow) string { return strings.ReplaceAll(s.Policy.Forbids(flow), file, "PATH") }
		if said(session.PKCE) != tt.pkce || said(session.Device) != tt.device ||
			s.Policy.Allows(session.PKCE) != (tt.pkce == "") ||
			s.Policy.Allows(session.Device) != (tt.device == "") {
			t.Errorf("%q: pkce %q, device %q", tt.text, said(session.PKCE), said(session.Device))
		}
		if s.Policy.File != file {
			t.Errorf("%q: policy from %q", tt.text, s.Policy.File)
		}
	}
}

// A policy that is there and not understood is no permission.
func TestPolicyFailsClosed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"allow_device_code = \"false\"", "allow_device_code = 0", "allow_device_codes = false", "allow-device-code = false",
		"[policy]\nallow_device_code = false", "allowed_flows = \"pkce\"", "allowed_flows = []", "allowed_flows = [\"auto\"]",
		"allowed_flows = [\"pkce\", 1]", "allow_device_code = false\nallow_device_code = true", "allow_device_code = false\n\x00",
		"flow = \"pkce\"", "allow_device_code false",
	} {
		file := write(t, "policy.toml", text)
		s, err := Load(Options{PolicyFile: file, ConfigFile: write(t, "config.toml", "flow = \"device\"")})
		if fault.KindOf(err) != fault.Config || !strings.HasPrefix(err.Error(), file) ||
			!strings.Contains(fmt.Sprint(fault.RemedyOf(err)), "ask who administers this machine") {
			t.Errorf("%q: %v (%v)", text, err, fault.RemedyOf(err))
		}
		if s.Flow.IsSet() || s.Policy.Allows(session.Device) {
			t.Errorf("%q: settings beside the error", text)
		}
	}
	_, err := Load(Options{PolicyFile: write(t, "policy.toml", "allow_device_codes = false")})
	if remedy := fmt.Sprint(fault.RemedyOf(err)); !strings.Contains(remedy,
		"did you mean allow_device_code? known keys: allow_device_code, allowed_flows") {
		t.Errorf("remedy %q", remedy)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the paths of other systems are made with their own separator")
	}
	for _, tt := range []struct{ goos, home, env, config, policy string }{
		{"linux", "/home/a", "", "/home/a/.config/homing/config.toml", "/etc/homing/policy.toml"},
		{"darwin", "/Users/a", "", "/Users/a/.config/homing/config.toml", "/etc/homing/policy.toml"},
		{"linux", "/home/a", "XDG_CONFIG_HOME=/x/y/", "/x/y/homing/config.toml", "/etc/homing/policy.toml"},
		{"linux", "/home/a", "XDG_CONFIG_HOME=x", "/home/a/.config/homing/config.toml", "/etc/homing/policy.toml"},
		{"linux", "", "", "", "/etc/homing/policy.toml"},
		{"windows", `C:\Users\a`, `AppData=C:\Users\a\AppData\Roaming\`, `C:\Users\a\AppData\Roaming\homing\config.toml`, ""},
		{"windows", `C:\Users\a`, `ProgramData=C:\ProgramData`, `C:\Users\a\AppData\Roaming\homing\config.toml`, `C:\ProgramData\homing\policy.toml`},
		{"windows", "", "", "", ""},
	} {
		if got := ConfigFile(env(tt.env), tt.home, tt.goos); got != tt.config {
			t.Errorf("%s, %s: config %q", tt.goos, tt.env, got)
		}
		if got := PolicyFile(env(tt.env), tt.goos); got != tt.policy {
			t.Errorf("%s, %s: policy %q", tt.goos, tt.env, got)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := slices.Concat(configKeys, []string{"session"})
	for in, want := range map[string]string{"flw": "flow", "no-browser": "no_browser", "port": "", "redirectport": "redirect_port", "": "", "sesion": "session", "colour": ""} {
		if got := nearest(in, known); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
