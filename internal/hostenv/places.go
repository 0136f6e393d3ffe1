package hostenv

// rows are tried from the first to the last: what is specific before what is generic, and a place inside another (a
// codespace is also a container; its SSH shell is also an SSH shell) before the other.
var rows = []row{
	{
		name: "ci", flow: Device, remote: true,
		signs:  []sign{{name: "CI"}, {name: "GITHUB_ACTIONS"}, {name: "GITLAB_CI"}, {name: "BUILDKITE"}, {name: "JENKINS_URL"}, {name: "TF_BUILD"}},
		reason: "this is a CI job, with no browser beside it",
	},
	{
		name: "codespaces", flow: Device, remote: true,
		signs:  []sign{{name: "CODESPACES"}, {name: "CODESPACE_NAME"}},
		reason: "this is a GitHub codespace: a browser on your machine cannot reach a listener here by itself",
	},
	{
		name: "gitpod", flow: Device, remote: true,
		signs:  []sign{{name: "GITPOD_WORKSPACE_ID"}},
		reason: "this is a Gitpod workspace: a browser on your machine cannot reach a listener here by itself",
	},
	{
		name: "devcontainer", flow: Device, remote: true,
		signs: []sign{
			{name: "REMOTE_CONTAINERS"}, {name: "REMOTE_CONTAINERS_IPC"}, {name: "VSCODE_REMOTE_CONTAINERS_SESSION"},
			{name: "DEVCONTAINER"}, {name: "DEVPOD"},
		},
		reason: "this is a dev container: a browser outside it cannot reach a listener in it by itself",
	},
	{
		name: "coder", flow: Device, remote: true,
		signs:  []sign{{name: "CODER"}, {name: "CODER_WORKSPACE_NAME"}},
		reason: "this is a Coder workspace: a browser on your machine cannot reach a listener here by itself",
	},
	{
		name: "google-cloud-shell", flow: Device, remote: true,
		signs:  []sign{{name: "CLOUD_SHELL"}},
		reason: "this is Google Cloud Shell: a browser on your machine cannot reach a listener here",
	},
	{
		name: "google-cloud-workstations", flow: Device, remote: true,
		signs:  []sign{{name: "GOOGLE_CLOUD_WORKSTATIONS"}},
		reason: "this is a Google Cloud workstation: a browser on your machine cannot reach a listener here by itself",
	},
	{
		name: "aws-cloudshell", flow: Device, remote: true,
		signs:  []sign{{name: "AWS_EXECUTION_ENV", value: "CloudShell"}},
		reason: "this is AWS CloudShell: a browser on your machine cannot reach a listener here",
	},
	{
		name: "aws-cloud9", flow: Device, remote: true,
		signs:  []sign{{name: "C9_PID"}, {name: "C9_HOSTNAME"}},
		reason: "this is AWS Cloud9: a browser on your machine cannot reach a listener here",
	},
	{
		name: "code-server", flow: Device, remote: true,
		signs:  []sign{{name: "VSCODE_PROXY_URI"}},
		reason: "this editor runs in a browser, on another machine than the listener would",
	},
	{
		// Before WSL: an SSH shell into a WSL machine has a browser on the far side.
		name: "ssh", flow: Device, remote: true,
		signs:  []sign{{name: "SSH_CONNECTION"}, {name: "SSH_CLIENT"}, {name: "SSH_TTY"}},
		reason: "this is an SSH session: the browser is on another machine than the listener would be",
	},
	{
		// Before WSL: a container on WSL inherits its kernel, and perhaps its variables, not its network.
		name: "container", flow: Device, remote: true,
		signs:  []sign{{file: "/.dockerenv"}, {file: "/run/.containerenv"}, {name: "KUBERNETES_SERVICE_HOST"}},
		reason: "this is a container: a browser outside it cannot reach a listener in it",
	},
	{
		name: "wsl", goos: "linux", flow: PKCE,
		signs:  []sign{{name: "WSL_DISTRO_NAME"}, {name: "WSL_INTEROP"}},
		reason: "this is WSL: a browser on Windows reaches a listener here",
	},
	{
		name: "vscode-remote", goos: "linux", flow: Device, remote: true,
		signs:  []sign{{name: "VSCODE_IPC_HOOK_CLI"}},
		absent: []string{"DISPLAY", "WAYLAND_DISPLAY"},
		reason: "this terminal belongs to an editor on another machine",
	},
	{
		name: "unknown", goos: "linux", flow: Device, remote: true,
		absent: []string{"DISPLAY", "WAYLAND_DISPLAY"},
		reason: "nothing says that a browser is near (neither DISPLAY nor WAYLAND_DISPLAY is set)",
	},
	{
		name: "local", flow: PKCE,
		reason: "a browser on this machine reaches a listener here",
	},
}
