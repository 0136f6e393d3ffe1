package hostenv

import (
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/session"
)

// inCodespace are the signs of a codespace; a service that no shell of the codespace started may lack one of them.
var inCodespace = vars("CODESPACES", "CODESPACE_NAME", "CLOUDENV_ENVIRONMENT_ID")

// codespaceOrigins: the domain is missing where variables are; that of github.com then.
var codespaceOrigins = []string{
	"https://{CODESPACE_NAME}-{port}.{GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN}",
	"https://{CODESPACE_NAME}-{port}.app.github.dev",
}

var ci = row{
	name: "ci", title: "a CI job",
	signs: [][]sign{vars("CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "JENKINS_URL", "TF_BUILD")},
	flow:  session.Device, remote: true, alone: true,
	why: "no browser reaches a listener here, and mostly nobody watches",
	ways: []line{
		{
			channel: session.DeviceCode,
			text: "Nobody can sign in from a CI job by a browser; let the job assume a role through OIDC " +
				"federation instead.",
		},
	},
	certain: documented, source: "the documentation of each CI service",
}

var codespacesDesktop = row{
	name: "codespaces-desktop", title: "a GitHub codespace in desktop VS Code",
	signs: [][]sign{inCodespace, {{window: editor.Desktop}}},
	flow:  session.PKCE, remote: true, tunnels: true,
	why:     byTunnel,
	ways:    []line{clickHere, portsView, ghForward, ghSSH},
	origins: codespaceOrigins,
	certain: reported,
	source: "variables: GitHub's documentation; the tunnel: Azure/azure-cli#27443, where this client was the one " +
		"that worked",
}

var codespacesSSH = row{
	name: "codespaces-ssh", title: "a GitHub codespace over SSH",
	signs:  [][]sign{inCodespace, overSSH},
	absent: []sign{{window: anyClient}},
	flow:   session.Device, remote: true,
	why:     notByItself,
	ways:    []line{ghForward, ghSSH},
	origins: codespaceOrigins,
	certain: documented, source: "GitHub's documentation; the source of gh",
	notes: "gh binds the forwarded port on all interfaces of the machine it runs on.",
}

var codespacesWeb = row{
	name: "codespaces-web", title: "a GitHub codespace in the browser",
	signs: [][]sign{inCodespace, {{window: editor.Web}}},
	flow:  session.Device, remote: true, window: true,
	why:     notByItself,
	ways:    []line{swapHost, ghForward, ghSSH},
	origins: codespaceOrigins,
	certain: reported, source: "variables: GitHub's documentation; the swapped host: expo/eas-cli#4129",
	notes: "No variable tells the browser from the desktop program (microsoft/vscode#231531), so the editor's " +
		"window is asked. " +
		"The forwarded port is private: the browser that shows it must be signed in to GitHub.",
}

var codespaces = row{
	name: "codespaces", title: "a GitHub codespace",
	signs: [][]sign{inCodespace},
	flow:  session.Device, remote: true, unseen: true,
	why:     notByItself,
	ways:    []line{swapHost, ghForward, ghSSH},
	origins: codespaceOrigins,
	certain: reported, source: "variables: GitHub's documentation; the swapped host: expo/eas-cli#4129",
	notes: "No window of the editor answers: it is reloading or closed, or the shell was started by something " +
		"else. Whether the person " +
		"sits at a browser or at the desktop program is not known then.",
}

var gitpod = row{
	name: "gitpod", title: "a Gitpod workspace",
	signs: [][]sign{vars("GITPOD_WORKSPACE_ID", "GITPOD_WORKSPACE_URL", "GITPOD_INSTANCE_ID")},
	flow:  session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView, swapHost},
	origins: []string{"https://{port}-{GITPOD_WORKSPACE_URL:host}"},
	certain: documented, source: "the source of Gitpod; the tunnel: VS Code's source",
	notes: "`gp preview --external` rewrites every local address in its argument, so the authorize URL never goes " +
		"through it.",
}

var ona = row{
	name: "ona", title: "an Ona environment (Gitpod Flex)",
	signs: [][]sign{
		{{name: "GITPOD_ENVIRONMENT_ID"}, {name: "ONA_ENVIRONMENT_ID"}, {file: "/usr/local/gitpod/shared"}},
	},
	flow: session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView},
	certain: reported, source: "programs of Ona's users; ONA_ENVIRONMENT_ID is a guess",
	notes: "A port has an address only after somebody opened it to others, so no address is printed.",
}

var devpod = row{
	name: "devpod", title: "a DevPod workspace",
	signs: [][]sign{vars("DEVPOD", "DEVPOD_WORKSPACE_ID", "DEVPOD_WORKSPACE_UID")},
	flow:  session.Device, remote: true, tunnels: true, window: true,
	why: notByItself,
	ways: []line{clickHere, portsView, {channel: session.Forward,
		text:     "Forward the port by the SSH host that DevPod has configured: " + thenReload + ".",
		commands: []string{"ssh -N -L {port}:127.0.0.1:{port} {DEVPOD_WORKSPACE_ID}.devpod"}}},
	certain: documented,
	source:  "variables: DevPod's source; the SSH host: its documentation; the tunnel: VS Code's source",
}

var coder = row{
	name: "coder", title: "a Coder workspace",
	signs: [][]sign{vars("CODER", "CODER_WORKSPACE_NAME", "CODER_WORKSPACE_AGENT_NAME", "CODER_WORKSPACE_ID")},
	flow:  session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView, coderForward, swapHost},
	certain: documented, source: "the source of Coder's agent; the tunnel: VS Code's source",
	notes: "Coder sets VSCODE_PROXY_URI in every shell, so it does not mean that the editor runs in a browser here.",
}

var googleCloudShell = row{
	name: "google-cloud-shell", title: "Google Cloud Shell",
	signs: [][]sign{vars("CLOUD_SHELL", "GOOGLE_CLOUD_SHELL", "DEVSHELL_SERVER_URL")},
	flow:  session.Device, remote: true,
	why: notByItself,
	ways: []line{swapHost, {channel: session.Forward,
		text:     "Forward the port with Google's gcloud, which also opens a shell here: " + thenReload + ".",
		commands: []string{"gcloud cloud-shell ssh --ssh-flag=-L{port}:127.0.0.1:{port}"}}},
	origins: []string{"https://{port}-{WEB_HOST}"},
	certain: reported, source: "programs of its users; gcloud's reference",
}

var googleCloudWorkstations = row{
	name: "google-cloud-workstations", title: "a Google Cloud workstation",
	signs: [][]sign{vars("GOOGLE_CLOUD_WORKSTATIONS")},
	flow:  session.Device, remote: true, tunnels: true, window: true,
	why:     notByItself,
	ways:    []line{clickHere, portsView},
	origins: []string{"https://{port}-{WEB_HOST}", "{VSCODE_PROXY_URI}"},
	certain: reported,
	source:  "the variable: firebase-tools; the address: Google's API reference, which prefixes the host with the port",
	notes: "`gcloud workstations start-tcp-tunnel` would forward the port, but nothing here names the " +
		"workstation's cluster and configuration, so no command is printed.",
}

var awsCloudShell = row{
	name: "aws-cloudshell", title: "AWS CloudShell",
	signs: [][]sign{{{name: "AWS_EXECUTION_ENV", value: "CloudShell"}, {file: "/usr/local/cloudshell"}}},
	flow:  session.Device, remote: true,
	why:     notAtAll,
	certain: reported, source: "the variable: the source of the Amazon Q CLI",
	notes: "No port of it can be reached from outside.",
}

var awsCloud9 = row{
	name: "aws-cloud9", title: "AWS Cloud9",
	signs: [][]sign{vars("C9_PID", "C9_USER", "C9_HOSTNAME")},
	flow:  session.Device, remote: true,
	why:     notAtAll,
	certain: assumed, source: "common knowledge",
}
