package hostenv

import (
	"slices"
	"strings"
	"testing"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	desktop := "DISPLAY=:0"
	for _, tt := range []struct {
		name   string
		goos   string // "" is linux
		env    string // NAME=value, separated by blanks
		files  string
		place  string
		flow   string
		remote bool
		reason string // a part of it
	}{
		{name: "laptop", env: desktop, place: "local", flow: PKCE, reason: "on this machine"},
		{name: "Wayland", env: "WAYLAND_DISPLAY=wayland-0", place: "local", flow: PKCE},
		{name: "Mac", goos: "darwin", place: "local", flow: PKCE},
		{name: "Windows", goos: "windows", place: "local", flow: PKCE},
		{name: "a Linux shell that names nothing", place: "unknown", flow: Device, remote: true, reason: "neither DISPLAY nor WAYLAND_DISPLAY"},
		{name: "tmux alone says nothing", env: "TMUX=/tmp/x TERM=tmux " + desktop, place: "local", flow: PKCE},
		{name: "WSL", env: "WSL_DISTRO_NAME=Ubuntu", place: "wsl", flow: PKCE, reason: "WSL_DISTRO_NAME is set"},
		{name: "WSL variables on Windows mean nothing", goos: "windows", env: "WSL_DISTRO_NAME=x", place: "local", flow: PKCE},
		{name: "SSH", env: "SSH_CONNECTION=1_2_3_4 SSH_TTY=/dev/pts/0", place: "ssh", flow: Device, remote: true, reason: "SSH_CONNECTION is set"},
		{name: "SSH with a forwarded display", env: "SSH_CLIENT=x DISPLAY=localhost:10.0", place: "ssh", flow: Device, remote: true},
		{name: "SSH to a Mac", goos: "darwin", env: "SSH_TTY=/dev/ttys0", place: "ssh", flow: Device, remote: true},
		{name: "SSH into WSL", env: "SSH_CONNECTION=x WSL_DISTRO_NAME=Ubuntu", place: "ssh", flow: Device, remote: true},
		{name: "codespace", env: "CODESPACES=true CODESPACE_NAME=fluffy REMOTE_CONTAINERS=true SSH_CONNECTION=x", files: "/.dockerenv", place: "codespaces", flow: Device, remote: true, reason: "CODESPACES is set"},
		{name: "not a codespace", env: "CODESPACES=false " + desktop, place: "local", flow: PKCE},
		{name: "dev container", env: "REMOTE_CONTAINERS=true", files: "/.dockerenv", place: "devcontainer", flow: Device, remote: true},
		{name: "DevPod", env: "DEVPOD=true", place: "devcontainer", flow: Device, remote: true},
		{name: "Docker", env: desktop, files: "/.dockerenv", place: "container", flow: Device, remote: true, reason: "/.dockerenv exists"},
		{name: "podman", env: desktop, files: "/run/.containerenv", place: "container", flow: Device, remote: true},
		{name: "Docker on WSL", env: "WSL_DISTRO_NAME=Ubuntu", files: "/.dockerenv", place: "container", flow: Device, remote: true},
		{name: "Cloud Shell", env: "CLOUD_SHELL=true", place: "google-cloud-shell", flow: Device, remote: true},
		{name: "AWS CloudShell", env: "AWS_EXECUTION_ENV=CloudShell", place: "aws-cloudshell", flow: Device, remote: true, reason: "AWS_EXECUTION_ENV=CloudShell"},
		{name: "AWS_EXECUTION_ENV of a Lambda", env: "AWS_EXECUTION_ENV=AWS_Lambda " + desktop, place: "local", flow: PKCE},
		{name: "code-server", env: "VSCODE_PROXY_URI=https://x/{{port}} " + desktop, place: "code-server", flow: Device, remote: true},
		{name: "VS Code tunnel", env: "VSCODE_IPC_HOOK_CLI=/tmp/x.sock", place: "vscode-remote", flow: Device, remote: true},
		{name: "VS Code on a laptop", env: "VSCODE_IPC_HOOK_CLI=/tmp/x.sock " + desktop, place: "local", flow: PKCE},
		{name: "CI", env: "CI=true " + desktop, place: "ci", flow: Device, remote: true},
		{name: "CI=0", env: "CI=0 " + desktop, place: "local", flow: PKCE},
		{name: "CI=false", env: "CI=false " + desktop, place: "local", flow: PKCE},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			for _, pair := range strings.Fields(tt.env) {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			if tt.goos == "" {
				tt.goos = "linux"
			}
			got := Detect(Facts{
				Getenv: func(name string) string { return env[name] },
				GOOS:   tt.goos,
				Exists: func(path string) bool { return slices.Contains(strings.Fields(tt.files), path) },
			})
			if got.Name != tt.place || got.Flow != tt.flow || got.Remote != tt.remote {
				t.Errorf("got %+v, want %s by %s, remote %v", got, tt.place, tt.flow, tt.remote)
			}
			if !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("reason %q does not hold %q", got.Reason, tt.reason)
			}
			if want := map[string][]string{PKCE: {"loopback", "device"}, Device: {"device"}}[got.Flow]; !slices.Equal(got.Channels, want) {
				t.Errorf("channels %q, want %q", got.Channels, want)
			}
		})
	}
}

func TestReasonsShowNoValue(t *testing.T) {
	t.Parallel()
	got := Detect(Facts{GOOS: "linux", Getenv: func(name string) string {
		if name == "SSH_CONNECTION" {
			return "10.1.2.3 50000 10.4.5.6 22"
		}
		return ""
	}})
	if strings.Contains(got.Reason, "10.1.2.3") {
		t.Errorf("reason %q shows the value of a variable", got.Reason)
	}
}

func TestLastRowMatches(t *testing.T) {
	t.Parallel()
	last := rows[len(rows)-1]
	if last.goos != "" || len(last.signs) > 0 || len(last.absent) > 0 {
		t.Error("the last row must match everything")
	}
	names := map[string]bool{}
	for _, r := range rows {
		if r.name == "" || r.reason == "" || names[r.name] || r.flow != PKCE && r.flow != Device {
			t.Errorf("row %+v is incomplete or not the only one of its name", r)
		}
		names[r.name] = true
	}
	if got := Detect(Facts{}); got.Name == "" {
		t.Error("no place without facts")
	}
}
