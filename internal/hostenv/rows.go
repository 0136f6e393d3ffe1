package hostenv

// rows are tried in this order: the specific before the generic, and an inner place (a codespace is also a container;
// its SSH shell is also an SSH shell) before the outer one. To add a place, add a row to one of the rows_*.go files,
// name it here, and give it a case in cases_test.go; the page follows with `make docs`.
var rows = []*row{
	&ci,

	&codespacesDesktop, &codespacesSSH, &codespacesWeb, &codespaces,
	&gitpod, &ona, &devpod, &coder,
	&googleCloudShell, &googleCloudWorkstations, &awsCloudShell, &awsCloud9,

	&devContainer,
	&wsl,
	&codeServer, &openVSCode, &vscodeWeb,
	&cursor, &windsurf,
	&vscodeSSH, &vscodeTunnel,
	&jetBrains, &zed,

	&ssh,
	&toolbox,
	&container,
	&unknown,
	&local,
}

// Signs of more than one row.
var (
	// vscode are the signs that a terminal belongs to VS Code or a fork of it, here or elsewhere.
	vscode = append(vscodeServer, sign{name: "TERM_PROGRAM", value: "vscode"})

	// vscodeServer are those that only the server sets: ssh may have sent TERM_PROGRAM.
	vscodeServer = []sign{{name: "VSCODE_IPC_HOOK_CLI"}, {name: "BROWSER", holds: editorHelper}}

	overSSH = vars("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")

	// elsewhere are the signs that a terminal of an editor is not on the machine of its window.
	elsewhere = append(vars("SSH_CONNECTION", "SSH_CLIENT"), sign{headless: true})

	// sshTTY is git-credential-manager's rule: an editor that comes over SSH starts its server without a terminal, so
	// SSH_TTY means that somebody typed `code tunnel` in an SSH session.
	sshTTY = sign{name: "SSH_TTY"}

	inContainer = []sign{
		{file: "/.dockerenv"}, {file: "/run/.containerenv"}, {name: "KUBERNETES_SERVICE_HOST"},
		{
			file: "/proc/1/cgroup",
			text: "docker",
		}, {file: "/proc/1/cgroup", text: "kubepods"}, {file: "/proc/1/cgroup", text: "libpod"},
	}

	drawn = vars("DISPLAY", "WAYLAND_DISPLAY")
)

// editorHelper ends the value that VS Code's server gives BROWSER: a script that asks the window.
const editorHelper = "helpers/browser.sh"

// Why a redirect does or does not come back.
const (
	byTunnel    = "the editor on your machine forwards the port that the redirect comes back to"
	notByItself = "a browser on your machine cannot reach a listener here by itself"
	notAtAll    = "a browser on your machine cannot reach a listener here"
)
