package hostenv

import (
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/session"
)

// tunnelSource is where the claim comes from that a desktop editor brings the redirect back.
const tunnelSource = "VS Code's source: NativeWindow.resolveExternalUri opens a tunnel to the port it finds in the " +
	"query"

var devContainer = row{
	name: "devcontainer", title: "a dev container",
	signs: [][]sign{
		vars("REMOTE_CONTAINERS", "REMOTE_CONTAINERS_IPC", "REMOTE_CONTAINERS_SOCKETS",
			"VSCODE_REMOTE_CONTAINERS_SESSION", "DEVCONTAINER"),
	},
	flow: session.Device, remote: true, tunnels: true, window: true,
	why:     "a browser outside it cannot reach a listener in it by itself",
	ways:    []line{clickHere, portsView},
	certain: documented, source: "the variables: microsoft/vscode-remote-release#3517; " + tunnelSource,
	notes: "Not every variable is always set, and people add DEVCONTAINER themselves. A port in forwardPorts of " +
		"devcontainer.json, with --redirect-port of the same number, is always forwarded.",
}

var codeServer = row{
	name: "code-server", title: "code-server",
	signs: [][]sign{
		vscode,
		{
			{name: "VSCODE_PROXY_URI"},
			{name: "BROWSER", holds: "/code-server/"},
			{name: "GIT_ASKPASS", holds: "/code-server/"},
		},
	},
	absent: []sign{{window: editor.Desktop}},
	flow:   session.Device, remote: true, window: true,
	why:     "the editor runs in a browser, on another machine than the listener would",
	ways:    []line{swapHost},
	origins: []string{"{VSCODE_PROXY_URI}"},
	certain: observed, source: "VS Code 1.139.1 in code-server, in Chromium",
}

var openVSCode = row{
	name: "openvscode", title: "openvscode-server",
	signs: [][]sign{
		vscode,
		{
			{name: "OPENVSCODE_SERVER_ROOT"},
			{name: "BROWSER", holds: "openvscode"},
			{name: "GIT_ASKPASS", holds: "openvscode"},
		},
	},
	absent: []sign{{window: editor.Desktop}},
	flow:   session.Device, remote: true, window: true,
	why:     "the editor runs in a browser, on another machine than the listener would",
	certain: reported,
	source:  "the variable: images of openvscode-server; the web client's behaviour: VS Code's source",
}

var vscodeWeb = row{
	name: "vscode-web", title: "VS Code in a browser",
	signs: [][]sign{vscode, {{window: editor.Web}}},
	flow:  session.Device, remote: true, window: true,
	why:     "the editor runs in a browser, on another machine than the listener would",
	ways:    []line{swapPortsView},
	certain: documented,
	source: "VS Code's source: the web client maps no address in a query; the Ports view over a tunnel: " +
		"microsoft/vscode-remote-release#9989",
	notes: "vscode.dev, `code serve-web`, or an editor that no row above names.",
}

var cursor = row{
	name: "cursor", title: "Cursor on another machine",
	signs: [][]sign{
		{
			{name: "CURSOR_TRACE_ID"},
			{name: "BROWSER", holds: ".cursor-server/"},
			{name: "VSCODE_GIT_ASKPASS_NODE", holds: ".cursor-server/"},
		},
		elsewhere,
	},
	absent: []sign{sshTTY},
	flow:   session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView, sshForward},
	certain: assumed, source: "variables: programs of its users; the tunnel: it is a fork of VS Code",
}

var windsurf = row{
	name: "windsurf", title: "Windsurf on another machine",
	signs: [][]sign{
		{
			{name: "BROWSER", holds: ".windsurf-server/"},
			{name: "VSCODE_GIT_ASKPASS_NODE", holds: ".windsurf-server/"},
			{name: "VSCODE_GIT_ASKPASS_MAIN", holds: ".windsurf-server/"},
		},
		elsewhere,
	},
	absent: []sign{sshTTY},
	flow:   session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView, sshForward},
	certain: assumed, source: "paths: programs of its users; the tunnel: it is a fork of VS Code",
}

// cliServer is where the servers live that `code tunnel` and `code serve-web` start; those that come over SSH live in
// .vscode-server.
var cliServer = sign{name: "BROWSER", holds: "/.vscode/cli/"}

var vscodeSSH = row{
	name: "vscode-ssh", title: "VS Code on another machine over SSH",
	signs:  [][]sign{vscode, vars("SSH_CONNECTION", "SSH_CLIENT")},
	absent: []sign{sshTTY, cliServer},
	flow:   session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView, sshForward},
	certain: documented, source: "SSH_TTY: the source of git-credential-manager; " + tunnelSource,
	notes: "The local end has the same number if that is free there; where it is not, VS Code takes another one " +
		"and the redirect goes astray.",
}

var vscodeTunnel = row{
	name: "vscode-tunnel", title: "VS Code through a tunnel",
	signs: [][]sign{
		vscodeServer,
		append(vars("SSH_CONNECTION", "SSH_CLIENT"), cliServer, sign{headless: true}, sign{window: anyClient}),
	},
	flow: session.Device, remote: true, window: true,
	why:     "a tunnel of VS Code brings ports to an address of devtunnels.ms, not to your machine",
	ways:    []line{swapPortsView},
	certain: reported,
	source:  "microsoft/vscode-remote-release#9195, #9989, #11755; SSH_TTY: the source of git-credential-manager",
	notes: "Also what is left when the variables of VS Code's server are there and no row above matches: a device " +
		"code works in any case. " +
		"A tunnel is said to rewrite the host to localhost; where it does not, the listener refuses the swapped " +
		"address and a paste works.",
}

var jetBrains = row{
	name: "jetbrains", title: "a JetBrains IDE on another machine",
	signs: [][]sign{
		{{name: "TERMINAL_EMULATOR", value: "JetBrains-JediTerm"}, {name: "REMOTE_DEV_LAUNCHER_NAME_FOR_USAGE"}},
		elsewhere,
	},
	flow: session.Device, remote: true,
	why:     notByItself,
	ways:    []line{sshForward},
	certain: assumed, source: "the variable: many shell profiles; the rest is common knowledge",
	notes: "The client is said to forward ports that it notices; when it has, the redirect comes back by itself " +
		"with --flow pkce.",
}

var zed = row{
	name: "zed", title: "Zed on another machine",
	signs: [][]sign{{{name: "ZED_TERM"}, {name: "TERM_PROGRAM", value: "zed"}}, elsewhere},
	flow:  session.Device, remote: true,
	why:     notByItself,
	ways:    []line{sshForward},
	certain: assumed, source: "variables: shell profiles",
	notes: "port_forwards in Zed's settings can forward a fixed port; name the same one with --redirect-port.",
}
