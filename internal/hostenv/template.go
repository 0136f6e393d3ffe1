package hostenv

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/quote"
)

// Templates hold names in braces: {port}, {address} (what leads to the listener), {ssh} (what follows ssh -L …), and
// variables such as {CODESPACE_NAME}; {NAME:host} is the host of a variable that holds a URL. A template with an
// unknown name is not used.

// expand fills the values of names into template.
func expand(template string, value func(name string) (string, bool)) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		v, known := value(name)
		if !closed || !known {
			return "", false
		}
		b.WriteString(v)
		template = after
	}
}

// names returns the names in template.
func names(template string) (all []string) {
	expand(template, func(name string) (string, bool) {
		all = append(all, name)
		return "", true
	})
	return all
}

// learn keeps the values that the lines and origins of p need.
func (p *Place) learn(f Facts) {
	var templates []string
	templates = append(templates, p.origins...)
	for _, l := range p.lines {
		templates = append(append(templates, l.text), l.commands...)
	}
	for _, template := range templates {
		for _, name := range names(template) {
			variable, part, _ := strings.Cut(name, ":")
			switch v, _ := f.lookup(variable); {
			case name == "port", name == "address", v == "":
			case part == "host":
				if u, err := url.Parse(v); err == nil && u.Host != "" {
					p.values[name] = u.Host
				}
			default:
				p.values[name] = v
			}
		}
	}
	p.values["ssh"] = sshTarget(f)
}

// sshTarget returns what follows "ssh -L …" on another machine to reach this one: the address at which it was
// reached. If that means nothing to another machine, it is the host name, or HOST if there is none.
func sshTarget(f Facts) string {
	host, port := "", ""
	connection, _ := f.lookup("SSH_CONNECTION") // client address, client port, server address, server port: sshd(8)
	if fields := strings.Fields(connection); len(fields) == 4 {
		addr, err := netip.ParseAddr(fields[2])
		if err == nil && !addr.Unmap().IsLoopback() && !addr.Unmap().IsUnspecified() && addr.Zone() == "" {
			host = addr.Unmap().String()
			if n, err := strconv.ParseUint(fields[3], 10, 16); err == nil && n != 22 && n != 0 {
				port = "-p " + strconv.FormatUint(n, 10) + " "
			}
		}
	}
	if host == "" && isHost(strings.ToLower(f.HostName)) {
		host = f.HostName
	}
	if host == "" {
		return "HOST"
	}
	for _, user := range []string{f.UserName, f.Getenv("USER"), f.Getenv("LOGNAME")} {
		if _, ok := shellWord(user); ok && !strings.Contains(user, "@") {
			return port + quote.Sh.Arg(user+"@"+host)
		}
	}
	return port + host
}

// shellWord returns v as one word of a command. It refuses characters that no name of a workspace, a user or a host
// has and that a shell may interpret: the shell runs on an unknown machine, and may be cmd.exe, where single quotes
// do not quote. A word never begins with "-", so it cannot be an option.
func shellWord(v string) (string, bool) {
	if v == "" || len(v) > 253 || !plain.IsLine(v) || strings.ContainsAny(v[:1], `-+/\=@:. `) {
		return "", false
	}
	if strings.ContainsFunc(v, func(r rune) bool {
		return !unicode.IsLetter(r) && (r < '0' || r > '9') && !strings.ContainsRune(`_.@:+=/- \`, r)
	}) {
		return "", false
	}
	return quote.Sh.Arg(v), true
}

// origin is an address that leads to a listener here from elsewhere.
type origin struct {
	address string // without a slash at its end
	host    string // lower case, with a port that is not the scheme's own
}

// originAt returns the origin of the listener at port, from the first template with all names known. A malformed
// origin counts as none.
func (p Place) originAt(port int) (origin, bool) {
	number := strconv.Itoa(port)
	for _, template := range p.origins {
		hasPort := strings.Contains(template, "{port}")
		text, ok := expand(template, func(name string) (string, bool) {
			v, known := p.values[name]
			if name == "port" {
				return number, true
			}
			hasPort = hasPort || strings.Contains(v, "{{port}}")
			return strings.ReplaceAll(v, "{{port}}", number), known
		})
		if ok {
			o, valid := parseOrigin(text)
			return o, valid && hasPort
		}
	}
	return origin{}, false
}

// parseOrigin accepts an http or https URL of a plain host and a plain path, and nothing else: no user, no query.
func parseOrigin(text string) (origin, bool) {
	u, err := url.Parse(text)
	if err != nil || len(text) > 1024 || !plain.IsLine(text) || u.Scheme != "https" && u.Scheme != "http" ||
		u.User != nil || u.Opaque != "" || strings.ContainsAny(text, "?#%{}") {
		return origin{}, false
	}
	host := strings.ToLower(u.Hostname())
	if addr, err := netip.ParseAddr(host); err == nil {
		if host = addr.String(); addr.Zone() != "" {
			return origin{}, false
		}
		if addr.Is6() {
			host = "[" + host + "]"
		}
	} else if !isHost(host) {
		return origin{}, false
	}
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return origin{}, false
		}
		if usual := map[string]uint64{"http": 80, "https": 443}[u.Scheme]; n != usual {
			host += ":" + strconv.FormatUint(n, 10)
		}
	}
	path := strings.TrimRight(u.Path, "/")
	for _, r := range path {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._~@:-", r) {
			return origin{}, false
		}
	}
	return origin{address: u.Scheme + "://" + host + path, host: host}, true
}

// isHost reports whether s is a host name in lower case (RFC 1123 2.1).
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
				return false
			}
		}
	}
	return true
}
