package hostenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

const port = 18425

// facts are what can be seen in s. The user is ann, the machine build7.
func (s someplace) facts() Facts {
	variables := func(text string) func(string) string {
		return func(name string) string {
			for line := range strings.Lines(text) {
				if v, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), name+"="); ok {
					return v
				}
			}
			return ""
		}
	}
	f := Facts{
		Getenv: variables(s.env), GOOS: s.goos, UserName: "ann", HostName: "build7", Tmux: s.session(),
		Exists:   func(path string) bool { return slices.Contains(strings.Fields(s.files), path) },
		ReadFile: func(path string) string { return s.text[path] },
		Tries:    make([]editor.Try, s.tries),
	}
	if s.goos == "" {
		f.GOOS = "linux"
	}
	if s.window != "" {
		f.Window = &editor.Window{
			Path:   "/run/user/1000/vscode-ipc-1.sock",
			Client: s.window,
			Named:  true,
			From:   "VSCODE_IPC_HOOK_CLI",
		}
	}
	return f
}

// session is what tmux knows: NAME=value, and -NAME for what it took out.
func (s someplace) session() func(string) (string, bool) {
	return func(name string) (string, bool) {
		for line := range strings.Lines(s.tmux) {
			line = strings.TrimSuffix(line, "\n")
			if v, ok := strings.CutPrefix(line, name+"="); ok {
				return v, true
			}
			if line == "-"+name {
				return "", true
			}
		}
		return "", false
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range someplaces {
		seen[s.place] = true
		t.Run(s.about, func(t *testing.T) {
			t.Parallel()
			p := Detect(s.facts())
			if p.Name != s.place || p.Flow != s.flow {
				t.Errorf("got %s by %s, want %s by %s", p.Name, p.Flow, s.place, s.flow)
			}
			if got := join(p.Channels, " "); got != s.channels {
				t.Errorf("channels %q, want %q", got, s.channels)
			}
			if !strings.Contains(p.Reason, s.reason) {
				t.Errorf("reason %q does not hold %q", p.Reason, s.reason)
			}
			if local := slices.Contains([]string{"local", "wsl", "toolbox"}, p.Name); p.Remote == local {
				t.Errorf("remote is %v", p.Remote)
			}
			if s.address != "" && p.Address(port) != s.address {
				t.Errorf("address %q, want %q", p.Address(port), s.address)
			}
			if swaps := p.Address(port) != ""; s.address == "" && swaps &&
				!strings.Contains(s.channels, string(session.Swap)) {
				t.Errorf("an address, %q, and no line that says so", p.Address(port))
			}
			if text := spoken(p); !strings.Contains(text, s.line) ||
				strings.Contains(s.line, ":127.0.0.1:") && !strings.Contains(text, "\n"+s.line+"\n") {
				t.Errorf("no line %q in\n%s", s.line, text)
			}
			if last := p.Weighed[len(p.Weighed)-1]; last.Name != p.Name || !strings.HasPrefix(last.Outcome, "yes: ") {
				t.Errorf("the last row weighed is %+v", last)
			}
			for _, w := range p.Weighed[:len(p.Weighed)-1] {
				if !strings.HasPrefix(w.Outcome, "no: ") {
					t.Errorf("weighed %+v and went on", w)
				}
			}
			checkLines(t, p)
		})
	}
	for _, r := range rows {
		if !seen[r.name] {
			t.Errorf("no case for %s", r.name)
		}
	}
}

// handOver is what ui shows for the session.Callback way.
const handOver = "homing callback"

// spoken is everything that a person is told about p.
func spoken(p Place) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\nflow %s, channels %s, browser: %s\n", p.Title, p.Reason, p.Flow, join(p.Channels, " "),
		p.Browser)
	if p.Wrapped != "" {
		fmt.Fprintf(&b, "in %s\n", p.Wrapped)
	}
	for _, host := range p.Origins(port) {
		fmt.Fprintf(&b, "origin %s\n", host)
	}
	for _, w := range p.Ways(port) {
		fmt.Fprintf(&b, "%s: %s\n", w.Channel, w.Text)
		if w.Channel == session.Callback {
			w.Command = handOver
		}
		if w.Command != "" {
			fmt.Fprintf(&b, "  %s\n", w.Command)
		}
	}
	return strings.ReplaceAll(b.String(), "\n  ", "\n")
}

// checkLines holds p against what no environment may bring about.
func checkLines(t *testing.T, p Place) {
	t.Helper()
	ways := p.Ways(port)
	if len(ways) == 0 {
		t.Error("a person is left without a word")
	}
	for _, w := range ways {
		for _, text := range []string{w.Text, w.Command} {
			if !plain.IsLine(text) || strings.ContainsAny(text, "{}") {
				t.Errorf("%q is not a line to show", text)
			}
		}
		if strings.ContainsAny(w.Command, ";&|$`\"<>()*?!%^#~\n") || strings.Count(w.Command, "'")%2 != 0 {
			t.Errorf("%q is more than one plain command", w.Command)
		}
		for _, word := range strings.Fields(w.Command) {
			if strings.HasPrefix(word, "-") &&
				!slices.Contains(
					[]string{"-N", "-L", "-p", "-c", "--", "--tcp", "--ssh-flag=-L18425:127.0.0.1:18425"},
					word,
				) &&
				!strings.Contains(w.Command, "'") {
				t.Errorf("%q has an option of its own: %s", w.Command, word)
			}
		}
		if w.Channel != session.Callback && !slices.Contains(p.Channels, w.Channel) {
			t.Errorf("a way by %s, which is none of %q", w.Channel, p.Channels)
		}
	}
	for _, host := range p.Origins(port) {
		name := host
		if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
			name = host[:i]
		}
		if !isHost(name) && !strings.HasPrefix(name, "[") || host != strings.ToLower(host) {
			t.Errorf("origin %q is not a host", host)
		}
		if !strings.Contains(p.Address(port), "://"+host) {
			t.Errorf("origin %q is not that of %q", host, p.Address(port))
		}
	}
	if !plain.IsLine(p.Reason) || strings.HasSuffix(p.Reason, ".") {
		t.Errorf("reason %q", p.Reason)
	}
}

// TestPlaces holds everything that is said in every case against testdata/places.txt. UPDATE_DOCS=1 (make docs)
// writes it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, s := range someplaces {
		fmt.Fprintf(&b, "== %s: %s\n%s\n", s.about, s.place, spoken(Detect(s.facts())))
	}
	checkFile(t, filepath.Join("testdata", "places.txt"), b.String())
}

func checkFile(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE_DOCS") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s is behind the rows (-want +got); run: make docs\n%s", path, diff)
	}
}

func TestReasonsShowNoValue(t *testing.T) {
	t.Parallel()
	const secret = "sw0rdfish"
	for _, s := range someplaces {
		f := s.facts()
		getenv := f.Getenv
		f.Getenv = func(name string) string {
			if v := getenv(name); v != "" {
				return v + secret
			}
			return ""
		}
		p := Detect(f)
		if strings.Contains(p.Reason, secret) {
			t.Errorf("%s: reason %q shows the value of a variable", s.about, p.Reason)
		}
		for _, w := range p.Weighed {
			if strings.Contains(w.Outcome, secret) {
				t.Errorf("%s: outcome %q shows the value of a variable", s.about, w.Outcome)
			}
		}
	}
}

// TestRows checks what a new row may forget.
func TestRows(t *testing.T) {
	t.Parallel()
	last := rows[len(rows)-1]
	if last.goos != "" || len(last.signs) > 0 || len(last.absent) > 0 {
		t.Error("the last row must match everything")
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if r.name == "" || seen[r.name] || r.title == "" || r.why == "" || r.source == "" ||
			r.flow != session.PKCE && r.flow != session.Device ||
			strings.HasSuffix(r.why, ".") {
			t.Errorf("row %q is incomplete or not the only one of its name", r.name)
		}
		seen[r.name] = true
		if !slices.Contains([]certainty{observed, documented, reported, assumed}, r.certain) {
			t.Errorf("row %q does not say how certain it is", r.name)
		}
		for _, group := range append(slices.Clone(r.signs), r.absent) {
			for _, s := range group {
				kinds := 0
				for _, set := range []bool{s.name != "", s.file != "", s.window != "", s.headless} {
					if set {
						kinds++
					}
				}
				if kinds != 1 {
					t.Errorf("row %q has the sign %+v", r.name, s)
				}
			}
		}
		if r.flow == session.PKCE && r.remote &&
			!(r.tunnels && slices.ContainsFunc(r.signs, func(g []sign) bool { return slices.Equal(g, []sign{{window: editor.Desktop}}) })) {
			t.Errorf("row %q promises a redirect from elsewhere without a tunnel", r.name)
		}
	}
	if got := Detect(Facts{}); got.Name == "" {
		t.Error("no place without facts")
	}
	if got := Detect(OS(os.Getenv)); got.Name == "" || len(got.Ways(port)) == 0 {
		t.Errorf("no place for this machine: %+v", got)
	}
}

// TestTmuxIsAskedInTmuxOnly: and not about what a person may have set in the shell.
func TestTmuxIsAskedInTmuxOnly(t *testing.T) {
	t.Parallel()
	for _, tmux := range []string{"", "x"} {
		asked := map[string]bool{}
		p := Detect(Facts{
			GOOS:   "linux",
			Getenv: func(name string) string { return map[string]string{"TMUX": tmux, "DISPLAY": ":0"}[name] },
			Tmux:   func(name string) (string, bool) { asked[name] = true; return "", false },
		})
		if p.Name != "local" || p.Wrapped == "tmux" != asked["SSH_CONNECTION"] || asked["BROWSER"] ||
			asked["CODESPACES"] {
			t.Errorf("tmux was asked for %v in %s, in %q", asked, p.Name, p.Wrapped)
		}
	}
}

// TestBrowser: "none from here" when nothing would be tried, and only then.
func TestBrowser(t *testing.T) {
	t.Parallel()
	yes, no := func() bool { return true }, func() bool { return false }
	for _, tt := range []struct {
		about string
		s     someplace
		opens func() bool
		want  string
	}{
		{"SSH", someplace{env: sshd}, nil, "none from here"},
		{"SSH with a display", someplace{env: sshd + display}, nil, "xdg-open"},
		{"SSH with a display and nothing installed", someplace{env: sshd + display}, no, "none from here"},
		{"SSH, a display that tmux took out", someplace{env: sshd + display + inTmux, tmux: "-DISPLAY"}, nil, "none from here"},
		{"SSH, a display that tmux knows", someplace{env: sshd + inTmux, tmux: "DISPLAY=:7"}, nil, "xdg-open"},
		{"SSH to a Mac", someplace{goos: "darwin", env: sshd}, nil, "the system's own"},
		{"SSH to WSL", someplace{env: sshd + "WSL_DISTRO_NAME=Ubuntu\n"}, nil, "wslview or PowerShell"},
		{"$BROWSER", someplace{env: sshd + "BROWSER=firefox\n"}, nil, "$BROWSER"},
		{"$BROWSER that is not there", someplace{env: sshd + "BROWSER=firefox\n"}, no, "none from here"},
		{"the editor's script", someplace{env: codespace + "BROWSER=/vscode/bin/helpers/browser.sh\n"}, nil, "none from here"},
		{"the editor's script, which would be tried", someplace{env: codespace + "BROWSER=/vscode/bin/helpers/browser.sh\n"}, yes, "$BROWSER"},
		{"a window", someplace{env: codespace + inWindow, window: editor.Web}, yes, "the editor's socket"},
		{"a laptop", someplace{env: display}, yes, "the system's own"},
		{"a laptop with nothing", someplace{env: display}, no, "none from here"},
	} {
		f := tt.s.facts()
		f.Opens = tt.opens
		if got := Detect(f).Browser; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.about, got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]string{
		"fluffy-goggles": "fluffy-goggles", "a.b_c@d": "a.b_c@d", `CORP\ann`: `'CORP\ann'`, "ann lee": "'ann lee'", "zoë": "'zoë'",
		"": "", "-x": "", "+x": "", "a;b": "", "a'b": "", "a$b": "", "a\nb": "", "a`b": "", "a%b%": "", "a^b": "", "a\u202eb": "", " a": "", "=a": "",
		strings.Repeat("a", 254): "",
	} {
		if got, ok := shellWord(v); got != want || ok != (want != "") {
			t.Errorf("shellWord(%q) = %q, %v, want %q", v, got, ok, want)
		}
	}
	f := Facts{UserName: `CORP\ann`, HostName: "Build7"}.complete()
	if got := sshTarget(f); got != `'CORP\ann@Build7'` {
		t.Errorf("target %s", got)
	}
	if got := sshTarget(Facts{}.complete()); got != "HOST" {
		t.Errorf("target %s where nothing is known", got)
	}
}

func FuzzPlaces(f *testing.F) {
	if len(someplaces) == 0 {
		f.Fatal("no seeds found")
	}
	for _, s := range someplaces {
		f.Add(s.env, s.files, "ann", "build7", string(s.window))
	}
	f.Add("CODESPACE_NAME='$(reboot)'\nSSH_CONNECTION=a b c d\n", "", "-oProxyCommand=x", "a b", "web")
	f.Add("VSCODE_PROXY_URI=https://[::1]:443/{{port}}\n"+inWindow, "", `x\y z`, "..", "")
	f.Fuzz(func(t *testing.T, env, files, user, host, window string) {
		facts := someplace{env: env, files: files, window: editor.Client(window)}.facts()
		facts.UserName, facts.HostName = user, host
		p := Detect(facts)
		checkLines(t, p)
		if (p.Flow == session.PKCE) != (slices.Contains(p.Channels, session.Loopback) || slices.Contains(p.Channels,
			session.Tunnel)) {
			t.Errorf("flow %s by %q", p.Flow, p.Channels)
		}
	})
}
