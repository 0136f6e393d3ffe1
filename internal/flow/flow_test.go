package flow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/hostenv"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
)

// situation is a Question as a table writes it: words, of which the last ones are a config.toml and a policy.toml.
type situation struct {
	place   string // "laptop", "ssh" or "desktop" (remote, but the redirect comes back)
	session string // "dev", "" is a legacy profile
	device  bool   // sso_use_device_code
	worked  string // flow and channel
	env     string // HOMING_FLOW or HOMING_REDIRECT_PORT, NAME=VALUE
	flag    string // "--flow X" or "--use-device-code"
	port    int    // --redirect-port
	fails   string
	config  string
	policy  string
}

func (s situation) question(t *testing.T, dir string) Question {
	t.Helper()
	q := Question{DeviceFails: s.fails}
	switch s.place {
	case "laptop":
		q.Place = hostenv.Place{Name: "local", Flow: session.PKCE, Reason: "the browser is here"}
	case "desktop":
		q.Place = hostenv.Place{Name: "vscode-ssh", Flow: session.PKCE, Reason: "the editor tunnels", Remote: true}
	case "ssh":
		q.Place = hostenv.Place{Name: "ssh", Flow: session.Device, Reason: "the browser is far", Remote: true}
	default:
		t.Fatalf("no place %q", s.place)
	}
	q.Session = session.Session{
		Name:          s.session,
		StartURL:      "https://d-1.awsapps.com/start",
		Region:        "eu-west-1",
		UseDeviceCode: s.device,
	}
	if s.worked != "" {
		flow, channel, _ := strings.Cut(s.worked, " ")
		q.Worked = &Worked{
			Flow:    session.Flow(flow),
			Channel: session.Channel(channel),
			At:      time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		}
	}
	if s.flag != "" {
		q.FlagName = s.flag
		q.Flag = session.Flow(strings.TrimPrefix(s.flag, "--flow "))
		if s.flag == "--use-device-code" {
			q.Flag = session.Device
		}
	}
	if s.port != 0 {
		q.FixedPort, q.FixedPortOrigin = s.port, "--redirect-port"
	}
	o := settings.Options{
		ConfigFile: filepath.Join(dir, "config.toml"),
		PolicyFile: filepath.Join(dir, "policy.toml"),
		Getenv: func(name string) string {
			if k, v, _ := strings.Cut(s.env, "="); k == name {
				return v
			}
			return ""
		},
	}
	for file, text := range map[string]string{o.ConfigFile: s.config, o.PolicyFile: s.policy} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := settings.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	q.Settings = all.For(s.session)
	return q
}

const (
	noDevice = "allow_device_code = false"
	noPKCE   = `allowed_flows = ["device"]`
)

func TestChoose(t *testing.T) {
	t.Parallel()
	const legacy = "a legacy profile (without sso_session) allows no other flow"
	for _, tt := range []struct {
		situation
		flow   session.Flow
		reason string // a part of it
		asked  string
	}{
		// The place, and nobody who says anything else.
		{situation{place: "laptop", session: "dev"}, session.PKCE, "the browser is here", ""},
		{situation{place: "ssh", session: "dev"}, session.Device, "the browser is far", ""},
		{situation{place: "desktop", session: "dev"}, session.PKCE, "the editor tunnels", ""},

		// Each source beats the weaker one.
		{situation{place: "ssh", session: "dev", worked: "pkce paste"}, session.PKCE, "it worked here last time, with the address pasted", ""},
		{situation{place: "laptop", session: "dev", worked: "device device"}, session.Device, "it worked here last time", ""},
		{situation{place: "laptop", session: "dev", worked: "pkce loopback"}, session.PKCE, "the browser is here", ""},
		{situation{place: "laptop", session: "dev", worked: "carrier pigeon"}, session.PKCE, "the browser is here", ""},
		{situation{place: "ssh", session: "dev", worked: "pkce paste", config: `flow = "device"`}, session.Device, "asks for it", "PATH:1"},
		{situation{place: "laptop", session: "dev", config: `flow = "device"`}, session.Device, "asks for it", "PATH:1"},
		{situation{place: "laptop", session: "dev", config: `flow = "pkce"`}, session.PKCE, "asks for it", "PATH:1"},
		{situation{place: "laptop", session: "dev", config: "flow = \"pkce\"\n[session.dev]\nflow = \"device\""}, session.Device, "asks for it", "PATH:3"},
		{situation{place: "laptop", session: "dev", config: "flow = \"device\"\n[session.dev]\nflow = \"auto\""}, session.Device, "asks for it", "PATH:1"},
		{situation{place: "laptop", session: "dev", worked: "device device", config: `flow = "auto"`}, session.Device, "it worked here", ""},
		{situation{place: "laptop", session: "dev", device: true}, session.Device, "sso_use_device_code asks for it", "sso_use_device_code"},
		{situation{place: "laptop", session: "dev", device: true, config: `flow = "pkce"`}, session.Device, "sso_use_device_code asks for it", "sso_use_device_code"},
		{situation{place: "laptop", session: "dev", device: true, env: "HOMING_FLOW=pkce"}, session.PKCE, "HOMING_FLOW=pkce asks for it", "HOMING_FLOW=pkce"},
		{situation{place: "ssh", session: "dev", env: "HOMING_FLOW=PKCE", config: `flow = "device"`}, session.PKCE, "asks for it", "HOMING_FLOW=pkce"},
		{situation{place: "laptop", session: "dev", env: "HOMING_FLOW=pkce", flag: "--use-device-code"}, session.Device, "--use-device-code asks for it", "--use-device-code"},
		{situation{place: "laptop", session: "dev", env: "HOMING_FLOW=device", flag: "--flow pkce"}, session.PKCE, "--flow pkce asks for it", "--flow pkce"},
		{situation{place: "ssh", session: "dev", flag: "--flow device"}, session.Device, "--flow device asks for it", "--flow device"},

		// auto: the place decides again.
		{situation{place: "ssh", session: "dev", worked: "pkce paste", flag: "--flow auto"}, session.Device, "the browser is far", ""},
		{situation{place: "laptop", session: "dev", worked: "device device", device: true, env: "HOMING_FLOW=device", config: `flow = "device"`, flag: "--flow auto"}, session.PKCE, "the browser is here", ""},
		{situation{place: "laptop", session: "dev", worked: "device device", device: true, env: "HOMING_FLOW=auto"}, session.PKCE, "the browser is here", ""},
		{situation{place: "ssh", session: "dev", env: "HOMING_FLOW=auto", flag: "--flow pkce"}, session.PKCE, "--flow pkce asks", "--flow pkce"},

		// A port that somebody fixed on a remote place is a forward; on a laptop it is a number.
		{situation{place: "ssh", session: "dev", port: 9000}, session.PKCE, "port 9000 is fixed by --redirect-port", ""},
		{situation{place: "ssh", session: "dev", port: 9000, flag: "--flow auto"}, session.PKCE, "port 9000 is fixed", ""},
		{situation{place: "ssh", session: "dev", port: 9000, flag: "--use-device-code"}, session.Device, "--use-device-code", "--use-device-code"},
		{situation{place: "ssh", session: "dev", port: 9000, device: true, env: "HOMING_FLOW=device"}, session.PKCE, "port 9000 is fixed", ""},
		{situation{place: "ssh", session: "dev", config: "redirect_port = 9000"}, session.PKCE, "port 9000 is fixed by ", ""},
		{situation{place: "ssh", session: "dev", config: "redirect_port = 9000", device: true}, session.Device, "sso_use_device_code", "sso_use_device_code"},
		{situation{place: "ssh", session: "dev", config: "redirect_port = 9000", worked: "device device"}, session.PKCE, "port 9000 is fixed", ""},
		{situation{place: "ssh", session: "dev", config: "redirect_port = 9000\nflow = \"device\""}, session.Device, "asks for it", "PATH:2"},
		{situation{place: "ssh", session: "dev", env: "HOMING_REDIRECT_PORT=9000", device: true}, session.PKCE, "fixed by HOMING_REDIRECT_PORT", ""},
		{situation{place: "ssh", session: "dev", env: "HOMING_REDIRECT_PORT=0", config: "redirect_port = 9000"}, session.Device, "the browser is far", ""},
		{situation{place: "desktop", session: "dev", port: 9000}, session.PKCE, "the editor tunnels", ""},
		{situation{place: "laptop", session: "dev", port: 9000, worked: "device device"}, session.Device, "it worked here", ""},

		// A legacy profile.
		{situation{place: "laptop"}, session.Device, legacy, ""},
		{situation{place: "ssh"}, session.Device, legacy, ""},
		{situation{place: "laptop", config: `flow = "pkce"`}, session.Device, legacy, ""},
		{situation{place: "ssh", port: 9000}, session.Device, legacy, ""},
		{situation{place: "laptop", worked: "pkce loopback"}, session.Device, legacy, ""},
		{situation{place: "laptop", flag: "--use-device-code"}, session.Device, "--use-device-code asks for it", "--use-device-code"},
		{situation{place: "laptop", env: "HOMING_FLOW=auto"}, session.Device, legacy, ""},
		{situation{place: "laptop", fails: "it is dual-stack"}, session.Device, legacy, ""},
		{situation{place: "laptop", policy: noPKCE}, session.Device, legacy, ""},

		// A portal where the device grant fails.
		{situation{place: "ssh", session: "dev", fails: "it is dual-stack"}, session.PKCE, "a device code does not work at this portal: it is dual-stack", ""},
		{situation{place: "laptop", session: "dev", fails: "it is dual-stack"}, session.PKCE, "the browser is here", ""},
		{situation{place: "ssh", session: "dev", device: true, fails: "it is dual-stack"}, session.PKCE, "it is dual-stack", ""},
		{situation{place: "ssh", session: "dev", config: `flow = "device"`, fails: "it is dual-stack"}, session.PKCE, "it is dual-stack", ""},
		{situation{place: "ssh", session: "dev", worked: "device device", fails: "it is dual-stack"}, session.PKCE, "it is dual-stack", ""},
		{situation{place: "ssh", session: "dev", flag: "--flow device", fails: "it is dual-stack"}, session.Device, "--flow device asks for it", "--flow device"},
		{situation{place: "ssh", session: "dev", env: "HOMING_FLOW=device", fails: "it is dual-stack"}, session.Device, "asks for it", "HOMING_FLOW=device"},
		{situation{place: "ssh", session: "dev", fails: "it is dual-stack", policy: noPKCE}, session.Device, "the policy forbids a browser redirect", ""},

		// The policy has the last word.
		{situation{place: "ssh", session: "dev", policy: noDevice}, session.PKCE, "the policy forbids a device code (allow_device_code = false in ", ""},
		{situation{place: "laptop", session: "dev", policy: noDevice}, session.PKCE, "the browser is here", ""},
		{situation{place: "laptop", session: "dev", policy: noPKCE}, session.Device, "the policy forbids a browser redirect (allowed_flows", ""},
		{situation{place: "laptop", session: "dev", device: true, policy: noDevice}, session.PKCE, "the policy forbids a device code", ""},
		{situation{place: "laptop", session: "dev", config: `flow = "device"`, policy: noDevice}, session.PKCE, "the policy forbids a device code", ""},
		{situation{place: "ssh", session: "dev", worked: "device device", policy: noDevice}, session.PKCE, "the policy forbids a device code", ""},
		{situation{place: "ssh", session: "dev", port: 9000, policy: noPKCE}, session.Device, "the policy forbids a browser redirect", ""},
		{situation{place: "laptop", session: "dev", flag: "--flow pkce", policy: noDevice}, session.PKCE, "--flow pkce asks for it", "--flow pkce"},
		{situation{place: "ssh", session: "dev", flag: "--flow auto", policy: noDevice}, session.PKCE, "the policy forbids a device code", ""},
	} {
		dir := t.TempDir()
		q := tt.question(t, dir)
		a, err := Choose(q)
		if err != nil {
			t.Errorf("%+v: %v", tt.situation, err)
			continue
		}
		asked := strings.ReplaceAll(a.Asked, filepath.Join(dir, "config.toml"), "PATH")
		if a.Flow != tt.flow || !strings.Contains(a.Reason, tt.reason) || asked != tt.asked {
			t.Errorf("%+v:\n%s, as %s (asked: %q)", tt.situation, a.Flow, a.Reason, asked)
		}
		consistent(t, q, a)
	}
}

// consistent checks what holds for every answer.
func consistent(t *testing.T, q Question, a Answer) {
	t.Helper()
	deciders := 0
	for _, s := range a.Steps {
		if s.Outcome == Decides {
			deciders++
		}
		if s.Source == "" || s.Said == "" {
			t.Errorf("an empty step: %+v", s)
		}
	}
	if deciders != 1 || a.Steps[0].Source != "place" || a.Steps[len(a.Steps)-1].Source != "policy" {
		t.Errorf("steps: %+v", a.Steps)
	}
	if !q.Settings.Policy.Allows(a.Flow) || q.Session.Legacy() && a.Flow != session.Device {
		t.Errorf("%s is not allowed", a.Flow)
	}
	other := !q.Session.Legacy() && q.Settings.Policy.Allows(other(a.Flow))
	if a.Fallback != (other && a.Flow == session.Device) {
		t.Errorf("flow %s, fallback %v, the other one allowed %v", a.Flow, a.Fallback, other)
	}
	if strings.HasSuffix(a.Reason, ".") || a.Reason == "" {
		t.Errorf("reason %q", a.Reason)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	named := fault.Preface{Words: "to give the session a name,", Then: fault.ConfigureSSO{}}
	redirect := fault.Preface{
		Words: "to give the session a name, so that a browser redirect works,", Then: fault.ConfigureSSO{},
	}
	const both = noDevice + "\n" + noPKCE
	for _, tt := range []struct {
		situation
		kind   fault.Kind
		msg    string
		remedy fault.Remedy
	}{
		{situation{place: "laptop", session: "dev", flag: "--use-device-code", policy: noDevice}, fault.Denied, "the policy forbids --use-device-code: allow_device_code = false in ", fault.Login{Session: "dev", Flow: "pkce"}},
		{situation{place: "laptop", session: "my o'dev", flag: "--flow device", policy: noDevice}, fault.Denied, "the policy forbids --flow device", fault.Login{Session: "my o'dev", Flow: "pkce"}},
		{situation{place: "ssh", session: "dev", env: "HOMING_FLOW=device", policy: noDevice}, fault.Denied, "the policy forbids HOMING_FLOW=device", fault.Login{Session: "dev", Flow: "pkce"}},
		{situation{place: "laptop", session: "dev", flag: "--flow pkce", policy: noPKCE}, fault.Denied, "the policy forbids --flow pkce: allowed_flows", fault.Login{Session: "dev", Flow: "device"}},
		{situation{place: "laptop", policy: noDevice}, fault.Denied, "can only sign in with a device code, which the policy forbids", redirect},
		{situation{place: "laptop", flag: "--use-device-code", policy: noDevice}, fault.Denied, "which the policy forbids", redirect},
		{situation{place: "laptop", flag: "--flow pkce", policy: noDevice}, fault.Denied, "which the policy forbids", redirect},
		{situation{place: "laptop", flag: "--flow pkce"}, fault.Usage, "a legacy profile (without sso_session) can only", named},
		{situation{place: "laptop", env: "HOMING_FLOW=pkce"}, fault.Usage, "a legacy profile (without sso_session) can only", named},
		{situation{place: "laptop", session: "dev", policy: both}, fault.Denied, "the policy allows no way to sign in: allowed_flows", fault.Advice("ask who administers this machine")},
		{situation{place: "ssh", policy: both}, fault.Denied, "the policy allows no way to sign in: allow_device_code = false", fault.Advice("ask who administers this machine")},
		{situation{place: "laptop", session: "dev", flag: "--flow paste"}, fault.Usage, `--flow "paste" is not a flow`, fault.Login{Flow: "auto"}},
	} {
		a, err := Choose(tt.question(t, t.TempDir()))
		if err == nil || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.msg) ||
			fault.RemedyOf(err) != tt.remedy {
			t.Errorf("%+v: %+v, %v\nremedy: %#v", tt.situation, a, err, fault.RemedyOf(err))
		}
	}
}

// The zero Policy is no accident to be generous about.
func TestPolicyThatWasNotRead(t *testing.T) {
	t.Parallel()
	a, err := Choose(
		Question{Place: hostenv.Place{Flow: session.Device, Reason: "far"}, Session: session.Session{Name: "dev"}},
	)
	if err != nil || a.Flow != session.PKCE {
		t.Errorf("%+v, %v", a, err)
	}
}

// What --explain prints reads from the weakest to the strongest, and names what overruled what.
func TestSteps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		situation
		want string
	}{
		{situation{place: "laptop", session: "dev", policy: noDevice}, `place | pkce: the browser is here | decides
what worked last | nothing is remembered | 
config.toml | flow is not set | 
sso_use_device_code | not set for this session | 
HOMING_FLOW | not set | 
flags | none given | 
format | an sso-session: either flow | 
device grant | not known to fail at this portal | 
policy | allows pkce (allow_device_code = false in POLICY:1) | 
`},
		{situation{place: "ssh", session: "dev", worked: "pkce paste", device: true, port: 9000, flag: "--flow pkce", config: "flow = \"device\"\n[session.dev]\nflow = \"pkce\"", policy: "# none"}, `place | device: the browser is far | overruled by --flow pkce
what worked last | pkce: it worked here last time, with the address pasted (2026-11-20) | agrees
config.toml | device, in CONFIG:1 | overruled by --flow pkce
config.toml | pkce, in CONFIG:3 | agrees
sso_use_device_code | true | overruled by --flow pkce
HOMING_FLOW | not set | 
fixed port | pkce: port 9000 is fixed by --redirect-port, so a forward is taken to lead to it | agrees
flags | --flow pkce | decides
format | an sso-session: either flow | 
device grant | not known to fail at this portal | 
policy | POLICY allows either flow | 
`},
		{situation{place: "ssh", session: "dev", worked: "pkce paste", device: true, flag: "--flow auto", fails: "it is dual-stack"}, `place | device: the browser is far | overruled by the device grant
what worked last | pkce: it worked here last time, with the address pasted (2026-11-20) | dropped by --flow auto
config.toml | flow is not set | 
sso_use_device_code | true | dropped by --flow auto
HOMING_FLOW | not set | 
flags | --flow auto | leaves it open
format | an sso-session: either flow | 
device grant | pkce: a device code does not work at this portal: it is dual-stack | decides
policy | there is none | 
`},
	} {
		dir := t.TempDir()
		a, err := Choose(tt.question(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, step := range a.Steps {
			b.WriteString(step.Source + " | " + step.Said + " | " + step.Outcome + "\n")
		}
		paths := strings.NewReplacer(filepath.Join(dir, "config.toml"), "CONFIG", filepath.Join(dir, "policy.toml"),
			"POLICY")
		if got := paths.Replace(b.String()); got != tt.want {
			t.Errorf("%+v:\n%s", tt.situation, got)
		}
	}
}
