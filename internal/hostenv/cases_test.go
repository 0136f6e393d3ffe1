package hostenv

import (
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/session"
)

// someplace is a situation and what is expected of it. The first one of a row is also the example on its page.
type someplace struct {
	about string
	goos  string // "" is linux
	env   string // NAME=value, one a line
	files string // that exist, separated by blanks
	text  map[string]string
	tmux  string // NAME=value that tmux knows, one a line; -NAME is taken out of the session
	// window is the client that the editor's window answers as, "" where none answers
	window editor.Client
	tries  int // sockets that do not answer

	place    string
	flow     session.Flow
	channels string
	reason   string // a part of it
	line     string // a command or a text that is printed, for port 18425; "-" is one that must not be
	address  string
}

const (
	inWindow  = "VSCODE_IPC_HOOK_CLI=/run/user/1000/vscode-ipc-1.sock\nTERM_PROGRAM=vscode\n"
	codespace = "CODESPACES=true\nCODESPACE_NAME=fluffy-goggles-5v7x\nGITHUB_CODESPACES_PORT_FORWARDING_DOMAIN=app.github.dev\nREMOTE_CONTAINERS=true\n"
	sshd      = "SSH_CONNECTION=198.51.100.7 50321 203.0.113.5 22\nSSH_CLIENT=198.51.100.7 50321 22\n"
	tty       = "SSH_TTY=/dev/pts/3\n"
	display   = "DISPLAY=:0\n"
	inTmux    = "TMUX=/tmp/tmux-1000/default,1,0\n"
	oldSSH    = "SSH_CONNECTION=192.0.2.9 1 10.0.0.5 22\nSSH_CLIENT=192.0.2.9 1 22\nSSH_TTY=/dev/pts/9\n"
	newSSH    = "SSH_CONNECTION=198.51.100.7 50321 203.0.113.5 22"
)

var someplaces = []someplace{
	{about: "a CI job", env: "CI=true\nGITHUB_ACTIONS=true\n" + display,
		place: "ci", flow: session.Device, channels: "device", reason: "mostly nobody watches (CI is set)"},
	{about: "CI=0 is none", env: "CI=0\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "CI=false is none", env: "CI=false\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "CI in a codespace", env: codespace + "CI=true\n", place: "ci", flow: session.Device, channels: "device"},

	// Codespaces
	{about: "a codespace, the window on a desktop", env: codespace + inWindow, files: "/.dockerenv", window: editor.Desktop,
		place: "codespaces-desktop", flow: session.PKCE, channels: "tunnel forward swap paste device",
		reason: "the editor on your machine forwards the port", address: "https://fluffy-goggles-5v7x-18425.app.github.dev"},
	{about: "a codespace over SSH", env: codespace + sshd + tty, files: "/.dockerenv",
		place: "codespaces-ssh", flow: session.Device, channels: "forward swap paste device",
		line: "gh codespace ports forward 18425:18425 -c fluffy-goggles-5v7x"},
	{about: "a codespace, the window in a browser", env: codespace + inWindow, files: "/.dockerenv", window: editor.Web,
		place: "codespaces-web", flow: session.Device, channels: "swap forward paste device",
		reason: "(CODESPACES is set; the editor's window answers from a browser)", address: "https://fluffy-goggles-5v7x-18425.app.github.dev",
		line: "gh codespace ssh -c fluffy-goggles-5v7x -- -N -L 127.0.0.1:18425:127.0.0.1:18425"},
	{about: "a codespace whose window is dead", env: codespace + inWindow,
		place: "codespaces", flow: session.Device, channels: "swap forward paste device", reason: "no window of the editor answers)"},
	{about: "a codespace, SSH variables and a window", env: codespace + sshd + inWindow, window: editor.Desktop,
		place: "codespaces-desktop", flow: session.PKCE, channels: "tunnel forward swap paste device"},
	{about: "a codespace whose shell lost the name", env: "CODESPACES=true\n",
		place: "codespaces", flow: session.Device, channels: "forward paste device", reason: "this is a GitHub codespace: a browser on your machine cannot reach a listener here by itself (CODESPACES is set; no window of the editor answers)", line: "gh codespace ports forward 18425:18425"},
	{about: "a codespace whose shell lost the domain", env: "CODESPACE_NAME=fluffy\n",
		place: "codespaces", flow: session.Device, channels: "swap forward paste device", address: "https://fluffy-18425.app.github.dev"},
	{about: "a codespace with a malformed domain", env: "CODESPACE_NAME=fluffy\nGITHUB_CODESPACES_PORT_FORWARDING_DOMAIN=evil.example/x?\n",
		place: "codespaces", flow: session.Device, channels: "forward paste device"},
	{about: "CODESPACES=false is none", env: "CODESPACES=false\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},

	// Other clouds
	{about: "Gitpod in a desktop editor", env: "GITPOD_WORKSPACE_ID=acme-app-1\nGITPOD_WORKSPACE_URL=https://acme-app-1.ws-eu1.gitpod.io\n" + inWindow, window: editor.Desktop,
		place: "gitpod", flow: session.PKCE, channels: "tunnel forward swap paste device"},
	{about: "Gitpod in a browser", env: "GITPOD_WORKSPACE_ID=acme-app-1\nGITPOD_WORKSPACE_URL=https://acme-app-1.ws-eu1.gitpod.io\n" + inWindow, window: editor.Web,
		place: "gitpod", flow: session.Device, channels: "swap paste device", address: "https://18425-acme-app-1.ws-eu1.gitpod.io"},
	{about: "Gitpod with a malformed URL", env: "GITPOD_WORKSPACE_ID=a\nGITPOD_WORKSPACE_URL=not a URL\n", place: "gitpod", flow: session.Device, channels: "paste device"},
	{about: "Ona by its folder, in a desktop editor", files: "/usr/local/gitpod/shared", env: inWindow, window: editor.Desktop,
		place: "ona", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "Ona", env: "GITPOD_ENVIRONMENT_ID=0199ec15\n", files: "/usr/local/gitpod/shared", place: "ona", flow: session.Device, channels: "paste device"},
	{about: "DevPod in a desktop editor", env: "DEVPOD=true\nDEVPOD_WORKSPACE_ID=api\nREMOTE_CONTAINERS=true\n" + inWindow, window: editor.Desktop,
		place: "devpod", flow: session.PKCE, channels: "tunnel forward paste device", line: "ssh -N -L 18425:127.0.0.1:18425 api.devpod"},
	{about: "DevPod over SSH", env: "DEVPOD=true\nDEVPOD_WORKSPACE_ID=api\nREMOTE_CONTAINERS=true\n" + sshd, files: "/.dockerenv",
		place: "devpod", flow: session.Device, channels: "forward paste device"},
	{about: "Coder over SSH from a desktop editor", env: "CODER=true\nCODER_WORKSPACE_NAME=api\nVSCODE_PROXY_URI=https://{{port}}--main--api--ann.coder.example\n" + sshd + inWindow, window: editor.Desktop,
		place: "coder", flow: session.PKCE, channels: "tunnel forward swap paste device"},
	{about: "Coder in a browser", env: "CODER=true\nCODER_WORKSPACE_NAME=api\nVSCODE_PROXY_URI=https://{{port}}--main--api--ann.coder.example\n" + inWindow, window: editor.Web,
		place: "coder", flow: session.Device, channels: "forward swap paste device", line: "coder port-forward api --tcp 18425:18425",
		address: "https://18425--main--api--ann.coder.example"},
	{about: "Google Cloud Shell", env: "CLOUD_SHELL=true\nWEB_HOST=cs-12345-default.cs-europe-west1-abcd.cloudshell.dev\nDEVSHELL_SERVER_URL=x\n",
		place: "google-cloud-shell", flow: session.Device, channels: "swap forward paste device",
		address: "https://18425-cs-12345-default.cs-europe-west1-abcd.cloudshell.dev", line: "gcloud cloud-shell ssh --ssh-flag=-L18425:127.0.0.1:18425"},
	{about: "a Google Cloud workstation in a desktop editor", env: "GOOGLE_CLOUD_WORKSTATIONS=true\nWEB_HOST=api.cluster-abcd.cloudworkstations.dev\n" + sshd + inWindow, window: editor.Desktop,
		place: "google-cloud-workstations", flow: session.PKCE, channels: "tunnel forward swap paste device"},
	{about: "a Google Cloud workstation", env: "GOOGLE_CLOUD_WORKSTATIONS=true\nWEB_HOST=api.cluster-abcd.cloudworkstations.dev\n" + inWindow, window: editor.Web,
		place: "google-cloud-workstations", flow: session.Device, channels: "swap paste device", address: "https://18425-api.cluster-abcd.cloudworkstations.dev"},
	{about: "a Google Cloud workstation that names no host", env: "GOOGLE_CLOUD_WORKSTATIONS=true\n", place: "google-cloud-workstations", flow: session.Device, channels: "paste device"},
	{about: "AWS CloudShell", env: "AWS_EXECUTION_ENV=CloudShell\n", files: "/usr/local/cloudshell",
		place: "aws-cloudshell", flow: session.Device, channels: "paste device", reason: "(AWS_EXECUTION_ENV=CloudShell)"},
	{about: "AWS_EXECUTION_ENV of a Lambda is none", env: "AWS_EXECUTION_ENV=AWS_Lambda_go\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "AWS Cloud9", env: "C9_PID=1234\nC9_USER=ann\n", place: "aws-cloud9", flow: session.Device, channels: "paste device"},

	// Editors
	{about: "a dev container in a desktop editor", env: "REMOTE_CONTAINERS=true\n" + inWindow, files: "/.dockerenv", window: editor.Desktop,
		place: "devcontainer", flow: session.PKCE, channels: "tunnel forward paste device",
		reason: "(REMOTE_CONTAINERS is set; the editor's window answers as a desktop program)"},
	{about: "a dev container in a browser", env: "REMOTE_CONTAINERS=true\n" + inWindow, files: "/.dockerenv", window: editor.Web,
		place: "devcontainer", flow: session.Device, channels: "paste device"},
	{about: "a dev container without an editor", env: "REMOTE_CONTAINERS=true\n", files: "/.dockerenv",
		place: "devcontainer", flow: session.Device, channels: "paste device", reason: "by itself (REMOTE_CONTAINERS is set)"},
	{about: "a dev container whose window is dead", env: "REMOTE_CONTAINERS_IPC=/tmp/x.sock\n" + inWindow,
		place: "devcontainer", flow: session.Device, channels: "paste device", reason: "no window of the editor answers, so nothing forwards the port"},
	{about: "a dev container on WSL", env: "REMOTE_CONTAINERS=true\nWSL_DISTRO_NAME=Ubuntu\n" + inWindow, files: "/.dockerenv", window: editor.Desktop,
		place: "devcontainer", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "code-server", env: inWindow + "VSCODE_PROXY_URI=https://ide.example/proxy/{{port}}/\n", window: editor.Web,
		place: "code-server", flow: session.Device, channels: "swap paste device", address: "https://ide.example/proxy/18425"},
	{about: "code-server with a domain for ports", env: inWindow + "VSCODE_PROXY_URI=https://{{port}}.IDE.example:8443\n" + display,
		place: "code-server", flow: session.Device, channels: "swap paste device", address: "https://18425.ide.example:8443"},
	{about: "code-server in a container", env: inWindow + "VSCODE_PROXY_URI=http://127.0.0.1:18080/proxy/{{port}}/\n", files: "/.dockerenv", window: editor.Web,
		place: "code-server", flow: session.Device, channels: "swap paste device", address: "http://127.0.0.1:18080/proxy/18425"},
	{about: "code-server started in an SSH session", env: inWindow + sshd + tty + "VSCODE_PROXY_URI=https://ide.example/proxy/{{port}}/\n", window: editor.Web,
		place: "code-server", flow: session.Device, channels: "swap paste device"},
	{about: "code-server with a relative VSCODE_PROXY_URI", env: inWindow + "VSCODE_PROXY_URI=./proxy/{{port}}\n",
		place: "code-server", flow: session.Device, channels: "paste device"},
	{about: "code-server with a VSCODE_PROXY_URI that names no port", env: inWindow + "VSCODE_PROXY_URI=https://ide.example/proxy/\n",
		place: "code-server", flow: session.Device, channels: "paste device"},
	{about: "VSCODE_PROXY_URI of an image, the editor on a desktop", env: inWindow + sshd + "VSCODE_PROXY_URI=https://ide.example/proxy/{{port}}/\n", window: editor.Desktop,
		place: "vscode-ssh", flow: session.PKCE, channels: "tunnel forward swap paste device"},
	{about: "openvscode-server", env: inWindow + "OPENVSCODE_SERVER_ROOT=/home/.openvscode-server\n", files: "/.dockerenv", window: editor.Web,
		place: "openvscode", flow: session.Device, channels: "paste device"},
	{about: "code serve-web", env: inWindow, window: editor.Web, place: "vscode-web", flow: session.Device, channels: "swap paste device", line: "In the editor's Ports view"},
	{about: "Cursor over SSH", env: "CURSOR_TRACE_ID=1\n" + inWindow + sshd + "BROWSER=/home/ann/.cursor-server/bin/1/bin/helpers/browser.sh\n", window: editor.Desktop,
		place: "cursor", flow: session.PKCE, channels: "tunnel forward paste device", line: "ssh -N -L 18425:127.0.0.1:18425 ann@203.0.113.5"},
	{about: "Cursor over SSH whose window is dead", env: "CURSOR_TRACE_ID=1\n" + inWindow + sshd, place: "cursor", flow: session.Device, channels: "forward paste device"},
	{about: "Cursor on a laptop", env: "CURSOR_TRACE_ID=1\nTERM_PROGRAM=vscode\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "Windsurf over SSH", env: inWindow + sshd + "BROWSER=/home/ann/.windsurf-server/bin/1/bin/helpers/browser.sh\n", window: editor.Desktop,
		place: "windsurf", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "VS Code Remote-SSH", env: inWindow + sshd, window: editor.Desktop,
		place: "vscode-ssh", flow: session.PKCE, channels: "tunnel forward paste device",
		reason: "(VSCODE_IPC_HOOK_CLI is set; SSH_CONNECTION is set; the editor's window answers as a desktop program)"},
	{about: "VS Code Remote-SSH to a Mac", goos: "darwin", env: inWindow + sshd, window: editor.Desktop, place: "vscode-ssh", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "VS Code Remote-SSH to a machine with a display", env: inWindow + sshd + display, window: editor.Desktop,
		place: "vscode-ssh", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "VS Code Remote-SSH whose window is dead", env: inWindow + sshd,
		place: "vscode-ssh", flow: session.Device, channels: "forward paste device", reason: "no window of the editor answers, so nothing forwards the port"},
	{about: "VS Code Remote-SSH, three dead sockets", env: inWindow + sshd + "BROWSER=/home/ann/.vscode-server/cli/servers/Stable-1/server/bin/helpers/browser.sh\n", tries: 3,
		place: "vscode-ssh", flow: session.Device, channels: "forward paste device", reason: "none of 3 sockets of the editor answers, so nothing forwards the port"},
	{about: "VS Code Remote-SSH, in tmux", env: inWindow + sshd + "TMUX=/tmp/tmux-1000/default,1,0\n", window: editor.Desktop,
		place: "vscode-ssh", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "a VS Code tunnel", env: inWindow + "BROWSER=/home/ann/.vscode/cli/servers/Stable-1/server/bin/helpers/browser.sh\n", window: editor.Desktop,
		place: "vscode-tunnel", flow: session.Device, channels: "swap paste device", reason: "devtunnels.ms"},
	{about: "a VS Code tunnel started in an SSH session", env: inWindow + sshd + tty, window: editor.Desktop,
		place: "vscode-tunnel", flow: session.Device, channels: "swap paste device"},
	{about: "a VS Code tunnel started over SSH by a script", env: inWindow + sshd + "BROWSER=/home/ann/.vscode/cli/servers/Stable-1/server/bin/helpers/browser.sh\n", window: editor.Desktop,
		place: "vscode-tunnel", flow: session.Device, channels: "swap paste device"},
	{about: "a VS Code tunnel to a Mac", goos: "darwin", env: inWindow, window: editor.Desktop, place: "vscode-tunnel", flow: session.Device, channels: "swap paste device"},
	{about: "a VS Code tunnel in a container", env: inWindow, files: "/.dockerenv", window: editor.Desktop, place: "vscode-tunnel", flow: session.Device, channels: "swap paste device"},
	{about: "VS Code on a laptop", env: "TERM_PROGRAM=vscode\nVSCODE_IPC_HOOK_CLI=/tmp/x.sock\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "VS Code on a Mac", goos: "darwin", env: "TERM_PROGRAM=vscode\n", place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "VS Code on Windows", goos: "windows", env: "TERM_PROGRAM=vscode\n", place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "JetBrains over SSH", env: "TERMINAL_EMULATOR=JetBrains-JediTerm\n" + sshd, place: "jetbrains", flow: session.Device, channels: "forward paste device"},
	{about: "JetBrains on a laptop", env: "TERMINAL_EMULATOR=JetBrains-JediTerm\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "Zed over SSH", env: "ZED_TERM=true\nTERM_PROGRAM=zed\n" + sshd, place: "zed", flow: session.Device, channels: "forward paste device"},
	{about: "Zed on a Mac", goos: "darwin", env: "ZED_TERM=true\n", place: "local", flow: session.PKCE, channels: "loopback paste device"},

	// Machines
	{about: "WSL", env: "WSL_DISTRO_NAME=Ubuntu\nWSL_INTEROP=/run/WSL/1_interop\n" + display,
		place: "wsl", flow: session.PKCE, channels: "loopback paste device", reason: "a browser on Windows reaches a listener here (WSL_DISTRO_NAME is set)"},
	{about: "WSL under sudo", text: map[string]string{"/proc/sys/kernel/osrelease": "5.15.153.1-Microsoft-standard-WSL2\n"}, place: "wsl", flow: session.PKCE, channels: "loopback paste device"},
	{about: "VS Code in WSL", env: "WSL_DISTRO_NAME=Ubuntu\n" + inWindow, window: editor.Desktop, place: "wsl", flow: session.PKCE, channels: "loopback tunnel paste device"},
	{about: "WSL's variables on Windows", goos: "windows", env: "WSL_DISTRO_NAME=x\n", place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "SSH into WSL", env: "WSL_DISTRO_NAME=Ubuntu\n" + sshd + tty, place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "SSH", env: sshd + tty, place: "ssh", flow: session.Device, channels: "forward paste device",
		reason: "this is an SSH session: the browser is on another machine than the listener would be (SSH_CONNECTION is set)",
		line:   "ssh -N -L 18425:127.0.0.1:18425 ann@203.0.113.5"},
	{about: "SSH by another port and IPv6", env: "SSH_CONNECTION=2001:db8::7 50321 2001:db8::5 2222\n", place: "ssh", flow: session.Device, channels: "forward paste device",
		line: "ssh -N -L 18425:127.0.0.1:18425 -p 2222 ann@2001:db8::5"},
	{about: "SSH through a forward of loopback", env: "SSH_CONNECTION=127.0.0.1 50321 127.0.0.1 2222\n", place: "ssh", flow: session.Device, channels: "forward paste device",
		line: "ssh -N -L 18425:127.0.0.1:18425 ann@build7"},
	{about: "SSH from a terminal of VS Code that sends TERM_PROGRAM along", env: "TERM_PROGRAM=vscode\n" + sshd + tty, place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "SSH with a display of X11", env: sshd + tty + "DISPLAY=localhost:10.0\n", place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "SSH to a Mac", goos: "darwin", env: sshd + tty, place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "SSH to Windows", goos: "windows", env: sshd, place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "SSH into a container", env: sshd + tty, files: "/.dockerenv", place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "tmux of a desktop, attached by SSH", env: "TMUX=/tmp/tmux-1000/default,1,0\n" + display, tmux: "SSH_CONNECTION=198.51.100.7 50321 203.0.113.5 22",
		place: "ssh", flow: session.Device, channels: "forward paste device", reason: "(SSH_CONNECTION is set in tmux)", line: "ssh -N -L 18425:127.0.0.1:18425 ann@203.0.113.5"},
	{about: "tmux of an earlier SSH session, attached by another", env: inTmux + oldSSH, tmux: newSSH,
		place: "ssh", flow: session.Device, channels: "forward paste device", reason: "(SSH_CONNECTION is set in tmux)", line: "ssh -N -L 18425:127.0.0.1:18425 ann@203.0.113.5"},
	{about: "tmux of an earlier SSH session, attached at the desk", env: inTmux + oldSSH + "DISPLAY=localhost:10.0\n", tmux: "-SSH_CONNECTION\nDISPLAY=:0",
		place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "tmux of an earlier SSH session, attached on a console", env: inTmux + oldSSH + "DISPLAY=localhost:10.0\n", tmux: "-SSH_CONNECTION\n-DISPLAY",
		place: "unknown", flow: session.Device, channels: "forward paste device"},
	{about: "tmux of a desk without a display, attached from one", env: inTmux, tmux: "-SSH_CONNECTION\nDISPLAY=:0",
		place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "tmux of a desk with Wayland, which tmux does not renew", env: inTmux + "WAYLAND_DISPLAY=wayland-0\n", tmux: "-SSH_CONNECTION\n-DISPLAY",
		place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "tmux attached by the SSH session that its shell is of", env: inTmux + sshd + tty, tmux: newSSH,
		place: "ssh", flow: session.Device, channels: "forward paste device", reason: "(SSH_CONNECTION is set)", line: "ssh -N -L 18425:127.0.0.1:18425 ann@203.0.113.5"},
	{about: "tmux that renews nothing or does not answer", env: inTmux + oldSSH,
		place: "ssh", flow: session.Device, channels: "forward paste device", line: "ssh -N -L 18425:127.0.0.1:18425 ann@10.0.0.5"},
	{about: "a shell by SSH that was sent no TMUX", env: sshd + tty, tmux: "-SSH_CONNECTION",
		place: "ssh", flow: session.Device, channels: "forward paste device", line: "ssh -N -L 18425:127.0.0.1:18425 ann@203.0.113.5"},
	{about: "tmux that renews SSH_TTY too", env: inTmux + oldSSH, tmux: "-SSH_CONNECTION\nSSH_TTY=/dev/pts/1",
		place: "ssh", flow: session.Device, channels: "forward paste device", reason: "(SSH_TTY is set in tmux)"},
	{about: "tmux of an SSH session, attached from VS Code over SSH", env: inTmux + oldSSH, tmux: newSSH + "\nVSCODE_IPC_HOOK_CLI=/run/user/1000/vscode-ipc-2.sock", window: editor.Desktop,
		place: "vscode-ssh", flow: session.PKCE, channels: "tunnel forward paste device"},
	{about: "tmux of VS Code over SSH, attached by SSH with no window left", env: inTmux + sshd, tmux: "SSH_CONNECTION=192.0.2.9 1 10.0.0.5 22",
		place: "ssh", flow: session.Device, channels: "forward paste device", line: "ssh -N -L 18425:127.0.0.1:18425 ann@10.0.0.5"},
	{about: "tmux of a codespace's SSH shell, attached in the browser", env: inTmux + codespace + oldSSH, tmux: "-SSH_CONNECTION", window: editor.Web,
		place: "codespaces-web", flow: session.Device, channels: "swap forward paste device"},
	{about: "tmux alone says nothing", env: "TMUX=/tmp/tmux-1000/default,1,0\n" + display, place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "screen over SSH", env: "STY=1234.pts-0.host\n" + sshd, place: "ssh", flow: session.Device, channels: "forward paste device"},
	{about: "a toolbox on a laptop", env: "TOOLBOX_PATH=/usr/bin/toolbox\n" + display, files: "/run/.containerenv /run/.toolboxenv",
		place: "toolbox", flow: session.PKCE, channels: "loopback paste device"},
	{about: "Docker", env: display, files: "/.dockerenv", place: "container", flow: session.Device, channels: "paste device", reason: "a container: a browser outside it cannot reach a listener in it (/.dockerenv exists)"},
	{about: "podman", files: "/run/.containerenv", place: "container", flow: session.Device, channels: "paste device"},
	{about: "Docker on WSL", env: "WSL_DISTRO_NAME=Ubuntu\n", files: "/.dockerenv", place: "container", flow: session.Device, channels: "paste device"},
	{about: "a pod", text: map[string]string{"/proc/1/cgroup": "0::/kubepods.slice/x\n"}, place: "container", flow: session.Device, channels: "paste device"},
	{about: "a Linux shell that names nothing", place: "unknown", flow: session.Device, channels: "forward paste device",
		reason: "nothing says that a browser is near (neither DISPLAY nor WAYLAND_DISPLAY is set)", line: "ssh -N -L 18425:127.0.0.1:18425 ann@build7"},
	{about: "a laptop", env: display, place: "local", flow: session.PKCE, channels: "loopback paste device", reason: "a browser on this machine reaches a listener here"},
	{about: "a laptop with Wayland", env: "WAYLAND_DISPLAY=wayland-0\n", place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "a Mac", goos: "darwin", place: "local", flow: session.PKCE, channels: "loopback paste device"},
	{about: "Windows", goos: "windows", place: "local", flow: session.PKCE, channels: "loopback paste device"},

	// Hostile names
	{about: "a codespace name that is a command", env: "CODESPACE_NAME=x; rm -rf ~\n", place: "codespaces", flow: session.Device, channels: "forward paste device",
		line: "gh codespace ports forward 18425:18425"},
	{about: "a codespace name that is another host", env: "CODESPACE_NAME=evil.example/?\n", place: "codespaces", flow: session.Device, channels: "forward paste device"},
	{about: "a codespace name that is an option", env: "CODESPACE_NAME=-oProxyCommand=x\n" + sshd, place: "codespaces-ssh", flow: session.Device, channels: "forward paste device",
		line: "gh codespace ports forward 18425:18425"},
	{about: "a workspace name that is an option", env: "CODER_WORKSPACE_NAME=--help\n", place: "coder", flow: session.Device, channels: "paste device"},
	{about: "a workspace name with escape sequences", env: "CODER_WORKSPACE_NAME=\x1b[2Jx\n", place: "coder", flow: session.Device, channels: "paste device"},
	{about: "a VSCODE_PROXY_URI with a user", env: inWindow + "VSCODE_PROXY_URI=https://ide.example@evil.example/{{port}}\n", place: "code-server", flow: session.Device, channels: "paste device"},
	{about: "a VSCODE_PROXY_URI that is no web address", env: inWindow + "VSCODE_PROXY_URI=javascript:alert({{port}})\n", place: "code-server", flow: session.Device, channels: "paste device"},
	{about: "an SSH_CONNECTION that is a command", env: "SSH_CONNECTION=1 2 $(reboot) 22\n", place: "ssh", flow: session.Device, channels: "forward paste device",
		line: "ssh -N -L 18425:127.0.0.1:18425 ann@build7"},
}
