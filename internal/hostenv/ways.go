package hostenv

import (
	"slices"
	"strconv"

	"github.com/homing-cli/homing/internal/session"
)

// Way is something that a person can do to bring the redirect back, or to sign in without it.
type Way struct {
	Channel session.Channel // as in Place.Channels, or session.Callback
	Text    string          // one to three plain sentences on one line
	// One line to type on the machine of the browser; "" is nothing, or fault.HandOver for session.Callback.
	Command string
}

// line is the template of a Way.
type line struct {
	channel  session.Channel
	text     string
	commands []string // the first one with all names known is printed; without one, the line is left out
	desktop  bool     // only with an editor's window on the person's machine that tunnels
}

// Ways returns what a person can do here while a listener at port waits, best first, with names and port filled in. A
// redirect that comes by loopback needs no help, so it has no line.
func (p Place) Ways(port int) []Way {
	var ways []Way
	address := p.Address(port)
	for _, l := range p.lines {
		text, ok := expand(l.text, func(name string) (string, bool) {
			switch name {
			case "port":
				return strconv.Itoa(port), true
			case "address":
				return address, address != ""
			}
			return shellWord(p.values[name])
		})
		if !ok {
			continue
		}
		command, known := "", len(l.commands) == 0
		for _, template := range l.commands {
			if command, known = expand(template, p.word(port)); known {
				break
			}
		}
		if known {
			ways = append(ways, Way{Channel: l.channel, Text: text, Command: command})
		}
	}
	return ways
}

// word returns the lookup for the names in a command.
func (p Place) word(port int) func(string) (string, bool) {
	return func(name string) (string, bool) {
		switch name {
		case "port":
			return strconv.Itoa(port), true
		case "ssh":
			return p.values[name], true // made of words
		}
		return shellWord(p.values[name])
	}
}

// Origins returns the values of Host under which Swap may reach a listener at port: lower case, without scheme, with
// a port unless it is the scheme's own. Nil if none is known.
func (p Place) Origins(port int) []string {
	if o, ok := p.originAt(port); ok {
		return []string{o.host}
	}
	return nil
}

// Address is what to type instead of http://127.0.0.1:PORT for Swap, such as "https://NAME-PORT.app.github.dev",
// without a slash at its end; "" if none is known.
func (p Place) Address(port int) string {
	o, _ := p.originAt(port)
	if o.address == "" || p.Origins(port) == nil {
		return ""
	}
	return o.address
}

// channels returns those of the lines that apply, in their order.
func (p Place) channels() (channels []session.Channel) {
	const anyPort = 18425
	for _, w := range p.Ways(anyPort) {
		if w.Channel != session.Callback && !slices.Contains(channels, w.Channel) {
			channels = append(channels, w.Channel)
		}
	}
	return channels
}

// allLines returns the row's lines, then those of every place.
func (r row) allLines() []line {
	lines := slices.Clone(r.ways)
	if r.alone {
		return lines
	}
	usual := []line{pasteHere, callbackElsewhere, deviceCode}
	if r.remote && !slices.ContainsFunc(lines, func(l line) bool { return l.channel == session.Swap }) {
		usual = append([]line{swapHost}, usual...)
	}
	return append(lines, usual...)
}

const noBrowser = "none from here"

// The common part of the forwards.
const thenReload = "run this on the machine of the browser and leave it running, then load the failed page again"

// Lines of more than one row.
var (
	clickHere = line{channel: session.Tunnel, desktop: true,
		text: "Open the address from this terminal: Ctrl+click it (Cmd+click on a Mac), then choose Open. The " +
			"editor forwards port {port} by itself."}
	portsView = line{channel: session.Forward, desktop: true,
		text: "In the editor's Ports view, forward port {port} to the same port on your machine, then load the " +
			"failed page again."}
	sshForward = line{channel: session.Forward,
		text: "Forward the port: " + thenReload + ". Use the name you know this machine by if this one does " +
			"not answer.",
		commands: []string{"ssh -N -L {port}:127.0.0.1:{port} {ssh}"}}
	ghForward = line{channel: session.Forward,
		text: "Forward the port with GitHub's gh: " + thenReload + ". While it runs, others in your network can " +
			"reach the port too.",
		commands: []string{
			"gh codespace ports forward {port}:{port} -c {CODESPACE_NAME}",
			"gh codespace ports forward {port}:{port}",
		}}
	ghSSH = line{channel: session.Forward,
		text: "Forward the port by SSH, which only your machine can reach then, if the codespace has an SSH " +
			"server: " + thenReload + ".",
		commands: []string{
			"gh codespace ssh -c {CODESPACE_NAME} -- -N -L 127.0.0.1:{port}:127.0.0.1:{port}",
			"gh codespace ssh -- -N -L 127.0.0.1:{port}:127.0.0.1:{port}",
		}}
	coderForward = line{channel: session.Forward,
		text:     "Forward the port with Coder's own command: " + thenReload + ".",
		commands: []string{"coder port-forward {CODER_WORKSPACE_NAME} --tcp {port}:{port}"}}
	swapHost = line{channel: session.Swap,
		text: "In the address bar of the page that failed to load, replace http://127.0.0.1:{port} by {address}, leave the rest as it is, and press Enter."}
	swapPortsView = line{channel: session.Swap,
		text: "In the editor's Ports view, forward port {port} and copy its address. In the address bar of the page that failed to load, replace http://127.0.0.1:{port} by it, leave the rest as it is, and press Enter."}
	pasteHere = line{channel: session.Paste,
		text: "Copy the address of the page that failed to load, and paste it here; never anywhere else."}
	callbackElsewhere = line{channel: session.Callback,
		text: "Or hand it over in another shell of yours on this machine: run this there, and paste the address " +
			"into it."}
	deviceCode = line{channel: session.DeviceCode,
		text: "Use a device code, which needs no way back to this machine."}
)
