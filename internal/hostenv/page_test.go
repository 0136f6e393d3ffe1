package hostenv

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/session"
)

// TestEnvironmentsPage keeps docs/environments.md in step with the rows. UPDATE_DOCS=1 (make docs) writes it.
func TestEnvironmentsPage(t *testing.T) {
	t.Parallel()
	checkFile(t, filepath.Join("..", "..", "docs", "environments.md"), page())
}

const pageStart = `# Environments

<!-- Generated from the rows of internal/hostenv by ` + "`make docs`" + `; do not edit. -->

A sign-in ends with a redirect of the browser to a listener on 127.0.0.1 of the machine that homing runs on. Where
the browser runs elsewhere, that redirect needs a way back. This page says what homing takes for which place, what
it then does, and what a person can do there. ` + "`homing login --explain`" + ` prints the same about the shell it
is typed in.

The places are tried in the order of the table; the first that matches is the one. A place matches when at least one
of its signs is seen (where there are two lists: one of each) and none of those that must not be there.

**pkce** is the browser redirect, taken where it comes back by itself. **device** is the device code, taken where it
does not; press p while it waits, or begin with --flow pkce, to use one of the other ways. A place with *pkce with a
desktop editor* is asked through the editor's own socket which client its window is: the desktop program forwards
the port that it finds in the address, a browser does not.

How certain a row is: **observed** by us on the real thing, **documented** by its maker or read in its source,
**reported** by people who use it, **assumed** from common knowledge. Corrections are welcome, above all for the
last two.
`

const pageEverywhere = `
## Everywhere but in CI

These lines exist in every place, after its own. The examples on this page use port %d.

%s
The paste goes into the terminal that waits, or into ` + "`homing callback`" + `, and nowhere else: a web page that asks for
it is after your account. tmux and screen keep the variables of the terminal they were started in; homing asks tmux
for today's, looks for a window of the editor that answers, and says in its report that it is wrapped. Over SSH, in
a shell without an editor's variables, a window that answers may belong to another machine. There only a window that
tmux names counts:
` + "`set -ga update-environment VSCODE_IPC_HOOK_CLI`" + ` in tmux.conf makes tmux name the window it was attached from.
`

func page() string {
	var b strings.Builder
	b.WriteString(pageStart + "| place | name | flow | ways back, best first | known |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		p := Detect(example(r).facts())
		fmt.Fprintf(&b, "| [%s](#%s) | `%s` | %s | %s | %s |\n", p.Title, anchor(p.Title), r.name, flowOf(r),
			join(p.Channels, ", "), r.certain)
	}
	fmt.Fprintf(&b, pageEverywhere, port, bullets(Detect(Facts{GOOS: "darwin"}).Ways(port)))
	for _, r := range rows {
		section(&b, r)
	}
	return wrapPage(b.String())
}

// wrapPage breaks lines at blanks so that they have at most 118 columns. Tables and code stay as they are.
func wrapPage(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		indent := ""
		if strings.HasPrefix(line, "- ") {
			indent = "  "
		}
		for len(line) > 119 && (indent != "" || line[0] != '|' && line[0] != ' ') {
			at := strings.LastIndexByte(line[:119], ' ')
			if at <= len(indent) {
				break
			}
			b.WriteString(line[:at] + "\n")
			line = indent + line[at+1:]
		}
		b.WriteString(line)
	}
	return b.String()
}

// example is the first case of a row.
func example(r *row) someplace {
	i := slices.IndexFunc(someplaces, func(s someplace) bool { return s.place == r.name })
	if i < 0 {
		panic("no case for " + r.name)
	}
	return someplaces[i]
}

func flowOf(r *row) string {
	if r.tunnels && r.flow == session.Device {
		return "pkce with a desktop editor, else device"
	}
	return string(r.flow)
}

func section(b *strings.Builder, r *row) {
	p := Detect(example(r).facts())
	fmt.Fprintf(b, "\n## %s\n\n", upper(p.Title))
	if seen := signature(r); seen != "" {
		fmt.Fprintf(b, "- Seen by %s.\n", seen)
	}
	if len(r.absent) > 0 {
		fmt.Fprintf(b, "- But not with %s.\n", code(r.absent, " or "))
	}
	fmt.Fprintf(b, "- Flow: %s; %s.\n", flowOf(r), r.why)
	browser := r.browser
	if browser == "" {
		browser = noBrowser
	}
	if r.window || r.tunnels {
		browser = "by the editor's socket where its window answers, else " + browser
	}
	fmt.Fprintf(b, "- A browser: %s.\n- Known: %s (%s).\n", browser, r.certain, r.source)
	if r.notes != "" {
		fmt.Fprintf(b, "\n%s\n", r.notes)
	}
	var own []Way
	for _, w := range p.Ways(port) {
		if r.alone ||
			!slices.Contains([]session.Channel{session.Paste, session.Callback, session.DeviceCode}, w.Channel) {
			own = append(own, w)
		}
	}
	if len(own) > 0 {
		b.WriteString("\n" + bullets(own))
	}
}

// signature names every sign of r.
func signature(r *row) string {
	var groups []string
	for _, group := range r.signs {
		groups = append(groups, code(group, " or "))
	}
	return strings.Join(groups, "; and ")
}

func code(signs []sign, or string) string {
	var all []string
	for _, s := range signs {
		text := s.String()
		if s.window == "" && !s.headless {
			first, rest, _ := strings.Cut(text, " that ")
			text = "`" + first + "`"
			if rest != "" {
				verb, what, _ := strings.Cut(rest, " ")
				text += " that " + verb + " `" + what + "`"
			}
		}
		all = append(all, text)
	}
	if len(all) > 2 {
		return strings.Join(all[:len(all)-1], ", ") + or + all[len(all)-1]
	}
	return strings.Join(all, or)
}

func bullets(ways []Way) string {
	var b strings.Builder
	for _, w := range ways {
		fmt.Fprintf(&b, "- **%s**: %s\n", w.Channel, w.Text)
		if w.Channel == session.Callback {
			w.Command = handOver
		}
		if w.Command != "" {
			fmt.Fprintf(&b, "\n  ```sh\n  %s\n  ```\n\n", w.Command)
		}
	}
	return strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "\n\n\n", "\n\n") + "\n"
}

// anchor is what GitHub calls the heading of title.
func anchor(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
			b.WriteRune(r)
		}
	}
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func join(channels []session.Channel, between string) string {
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = string(c)
	}
	return strings.Join(names, between)
}
