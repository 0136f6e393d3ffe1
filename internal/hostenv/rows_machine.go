package hostenv

import (
	"slices"

	"github.com/homing-cli/homing/internal/session"
)

var wsl = row{
	name: "wsl", title: "WSL", goos: "linux",
	signs: [][]sign{
		{{name: "WSL_DISTRO_NAME"}, {name: "WSL_INTEROP"}, {file: "/proc/sys/kernel/osrelease", text: "microsoft"}},
	},
	// An SSH shell in WSL has its browser on the far side. A container on WSL inherits its kernel, not its network.
	absent: slices.Concat(overSSH, inContainer),
	flow:   session.PKCE, tunnels: true,
	why:     "a browser on Windows reaches a listener here",
	browser: "wslview or PowerShell",
	ways:    []line{clickHere},
	certain: documented,
	source:  "the source of git-credential-manager; Microsoft's documentation of localhost forwarding",
	notes: "Some VPNs break the way from Windows to WSL (microsoft/WSL#9921); mirrored networking mends it, and " +
		"a paste always works.",
}

var ssh = row{
	name: "ssh", title: "an SSH session",
	signs: [][]sign{overSSH},
	flow:  session.Device, remote: true,
	why:     "the browser is on another machine than the listener would be",
	ways:    []line{sshForward},
	certain: documented, source: "sshd(8), ssh(1)",
	notes: "Also with a display forwarded by X11, and with a display of its own: who came by SSH sits elsewhere. " +
		"LocalForward in ~/.ssh/config, with --redirect-port of the same number and --flow pkce, makes the forward " +
		"permanent.",
}

var toolbox = row{
	name: "toolbox", title: "a toolbox",
	signs:   [][]sign{{{file: "/run/.toolboxenv"}, {name: "TOOLBOX_PATH"}, {name: "DISTROBOX_ENTER_PATH"}}, drawn},
	flow:    session.PKCE,
	why:     "it shares the network of this machine, so a browser here reaches a listener in it",
	browser: "xdg-open",
	certain: assumed, source: "the documentation of Toolbx and Distrobox",
}

var container = row{
	name: "container", title: "a container",
	signs: [][]sign{inContainer},
	flow:  session.Device, remote: true,
	why:     "a browser outside it cannot reach a listener in it",
	certain: documented, source: "Docker's and podman's documentation",
	notes: "A published port does not help: the listener is on 127.0.0.1 of the container. With --network host it " +
		"is on that of the machine, so --flow pkce works.",
}

// unknown is what people sit in front of when a sign-in waits ten minutes for a browser that is not there: a session
// manager, sudo, a serial console.
var unknown = row{
	name: "unknown", title: "a machine that names nothing", bare: true,
	signs: [][]sign{{{headless: true}}},
	flow:  session.Device, remote: true,
	why: "nothing says that a browser is near",
	ways: []line{{channel: session.Forward,
		text: "If you came here by SSH, forward the port: " + thenReload + ". Use the name you know this " +
			"machine by if this one does not answer.",
		commands: sshForward.commands}},
	certain: documented, source: "what the absence of a display means on Linux and the BSDs",
	notes: "sudo and session managers drop the variables of the rows above.",
}

var local = row{
	name: "local", title: "a laptop or a desktop", bare: true,
	flow: session.PKCE,
	why:  "a browser on this machine reaches a listener here", browser: "the system's own",
	certain: documented, source: "RFC 8252 7.3",
}
