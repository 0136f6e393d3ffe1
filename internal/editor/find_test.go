//go:build unix

package editor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFindNamed: what the socket in VSCODE_IPC_HOOK_CLI can be, alone.
func TestFindNamed(t *testing.T) {
	t.Parallel()
	busy := &stand{status: hangs} // a desktop that makes its report
	for name, tt := range map[string]struct {
		make    func(t *testing.T, dir string) string
		client  Client // "" nothing is found
		outcome string
	}{
		"browser":           {standing(&stand{}), Web, "answers (web)"},
		"browser in Korean": {standing(&stand{status: says("--status 인수는 아직 브라우저에서 지원되지 않습니다.")}), Web, "answers (web)"},
		"desktop":           {standing(&stand{status: says(desktopStatus)}), Desktop, "answers (desktop)"},
		"desktop at work":   {standing(busy), Desktop, "answers (desktop, report under way)"},
		"nonsense":          {standing(&stand{status: says("{}\n[]\n")}), "", "answers nothing that a window would"},
		"no JSON": {standing(&stand{status: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<html>hello</html>")
		}}), "", "answers nothing that a window would"},
		"404": {standing(&stand{status: code(404)}), "", "answers nothing that a window would"},
		"500": {standing(&stand{status: code(500)}), "", "answers nothing that a window would"},
		"redirect": {standing(&stand{status: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/",
				http.StatusTemporaryRedirect)
		}}), "", "answers nothing that a window would"},
		"huge": {standing(&stand{status: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "%q", strings.Repeat("Version: 1\n", maxAnswer/10))
		}}), "", "answers nothing that a window would"},
		"huge header": {standing(&stand{status: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", strings.Repeat("a", 100_000))
		}}), "", "answers nothing that a window would"},
		"answers in drops": {standing(&stand{list: hangs, status: func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				fmt.Fprint(w, " ")
				_ = http.NewResponseController(w).Flush()
				<-tick.C
			}
		}}), "", "no answer within 1s"},
		"silent":                           {func(t *testing.T, dir string) string { return mute(t, dir, "x") }, "", "no answer within 1s"},
		"silent as HTTP":                   {standing(&stand{status: hangs, list: hangs}), "", "no answer within 1s"},
		"old, without the second question": {standing(&stand{status: hangs, list: code(404)}), "", "no answer within 1s"},
		"stale":                            {func(t *testing.T, dir string) string { return stale(t, dir, "x") }, "", "refused"},
		"missing":                          {func(_ *testing.T, dir string) string { return filepath.Join(dir, "x") }, "", "gone"},
		"file": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "x")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}, "", "no socket"},
		"symbolic link": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "link")
			if err := os.Symlink((&stand{}).start(t, dir, "x"), path); err != nil {
				t.Fatal(err)
			}
			return path
		}, "", "no socket"},
		"datagrams": {func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "x")
			c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return path
		}, "", "no socket"},
		"relative": {func(*testing.T, string) string { return "vscode-ipc-1.sock" }, "", "no socket"},
		"abstract": {func(*testing.T, string) string { return "@vscode" }, "", "no socket"},
		"too long": {func(_ *testing.T, dir string) string { return filepath.Join(dir, strings.Repeat("x/", 4000)) }, "", "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			path := tt.make(t, dir)
			begin := time.Now()
			w, tries, found := Find(t.Context(), Places{Getenv: env(hook, path), Dirs: []string{}, UID: -1})
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(tries) != 1 || tries[0] != (Try{Path: path, From: hook, Outcome: tt.outcome}) {
				t.Errorf("tries are %+v, want the outcome %q", tries, tt.outcome)
			}
			want := Window{Path: path, Client: tt.client, Named: true, From: hook}
			if tt.client == "" {
				want = Window{}
			}
			if w != want || found != (tt.client != "") {
				t.Errorf("found %v %+v, want %+v", found, w, want)
			}
		})
	}
}

func standing(s *stand) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string { return s.start(t, dir, "x") }
}

// TestFindAnother: what takes the place of a named socket.
func TestFindAnother(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	older := (&stand{status: says(desktopStatus)}).start(t, dir, "older")
	(&stand{}).start(t, dir, "newer")
	stale(t, dir, "newest")
	tmux := (&stand{}).start(t, folder(t), "tmux")
	gone := filepath.Join(dir, "gone")
	alive := &stand{}
	living := alive.start(t, folder(t), "living")
	for name, tt := range map[string]struct {
		env      []string
		tmux     string
		want     string
		attached string // SSH_CONNECTION as tmux knows it, "-" taken out
	}{
		"nothing says so":                      {nil, tmux, "", ""},
		"the named one lives":                  {[]string{hook, living, "TMUX", "x"}, "", "living from VSCODE_IPC_HOOK_CLI: answers (web)\n", ""},
		"it lives, tmux knows a newer one":     {[]string{hook, living, "TMUX", "x"}, tmux, "tmux from tmux: answers (web)\n", ""},
		"it lives, the server knows another":   {[]string{hook, living, "TMUX", "x"}, "server:" + tmux, "living from VSCODE_IPC_HOOK_CLI: answers (web)\n", ""},
		"it is gone, the server knows another": {[]string{hook, gone, "TMUX", "x"}, "server:" + tmux, "gone from VSCODE_IPC_HOOK_CLI: gone\ntmux from tmux: answers (web)\n", ""},
		"it lives, tmux took it out":           {[]string{hook, living, "TMUX", "x"}, "-", "newest from scan: refused\nnewer from scan: answers (web)\n", "-"},
		"it lives, tmux took it out, by SSH":   {[]string{hook, living, "TMUX", "x"}, "-", "", "a b c d"},
		"tmux by SSH knows a dead one":         {[]string{"TMUX", "x"}, gone, "gone from tmux: gone\nnewest from scan: refused\nnewer from scan: answers (web)\n", "a b c d"},
		"no tmux is asked":                     {[]string{hook, living}, tmux, "living from VSCODE_IPC_HOOK_CLI: answers (web)\n", ""},
		"it is gone":                           {[]string{hook, gone}, "", "gone from VSCODE_IPC_HOOK_CLI: gone\nnewest from scan: refused\nnewer from scan: answers (web)\n", ""},
		"none was named":                       {[]string{"VSCODE_GIT_IPC_HANDLE", "x"}, "", "newest from scan: refused\nnewer from scan: answers (web)\n", ""},
		"tmux knows":                           {[]string{hook, gone, "TMUX", "x"}, tmux, "tmux from tmux: answers (web)\n", ""},
		"tmux has nothing better":              {[]string{hook, gone, "TMUX", "x"}, gone, "gone from VSCODE_IPC_HOOK_CLI: gone\nnewest from scan: refused\nnewer from scan: answers (web)\n", ""},
		"tmux knows an old one":                {[]string{"TMUX", "x"}, older, "older from tmux: answers (desktop)\n", ""},
		"tmux knows a dead one":                {[]string{"TMUX", "x"}, filepath.Join(dir, "vscode-ipc-t.sock"), "t from tmux: gone\nnewest from scan: refused\nnewer from scan: answers (web)\n", ""},
		"screen":                               {[]string{"STY", "1.pts"}, "", "newest from scan: refused\nnewer from scan: answers (web)\n", ""},
		"tmux by SSH":                          {[]string{"TMUX", "x", "SSH_CONNECTION", "a"}, "", "", ""},
		"tmux attached by SSH":                 {[]string{"TMUX", "x"}, "", "", "a b c d"},
		"tmux attached by SSH no more":         {[]string{"TMUX", "x", "SSH_CONNECTION", "a", "SSH_TTY", "b"}, "", "newest from scan: refused\nnewer from scan: answers (web)\n", "-"},
		"tmux by SSH, and it knows":            {[]string{"TMUX", "x", "SSH_CONNECTION", "a"}, tmux, "tmux from tmux: answers (web)\n", "a"},
		"screen by SSH":                        {[]string{"STY", "x", "SSH_TTY", "a"}, "", "", "-"},
		"an editor's terminal by SSH":          {[]string{hook, gone, "SSH_CONNECTION", "a"}, "", "gone from VSCODE_IPC_HOOK_CLI: gone\nnewest from scan: refused\nnewer from scan: answers (web)\n", ""},
		"an editor's terminal, tmux, SSH":      {[]string{hook, gone, "TMUX", "x", "SSH_CONNECTION", "a"}, "", "gone from VSCODE_IPC_HOOK_CLI: gone\nnewest from scan: refused\nnewer from scan: answers (web)\n", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			w, tries, found := Find(t.Context(), Places{
				Getenv: env(tt.env...), Dirs: []string{dir, dir + "/", "relative", ""}, UID: -1,
				Tmux: func(_ context.Context, name string) (string, bool) {
					if name == "SSH_CONNECTION" {
						return strings.TrimPrefix(tt.attached, "-"), tt.attached != ""
					}
					asked = name
					if server, ok := strings.CutPrefix(tt.tmux, "server:"); ok {
						return server, false
					}
					return strings.TrimPrefix(tt.tmux, "-"), tt.tmux != ""
				},
			})
			if got := said(tries); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
			if found != (tt.want != "") ||
				found &&
					(w.Path != tries[len(tries)-1].Path || w.From != tries[len(tries)-1].From ||
						w.Named != (w.From == hook)) {
				t.Errorf("found %v %+v", found, w)
			}
			if asked != "" && asked != hook {
				t.Errorf("tmux was asked for %q", asked)
			}
		})
	}
	t.Run("tmux is not asked after the end", func(t *testing.T) {
		t.Parallel()
		late := (&stand{list: hangs, status: func(w http.ResponseWriter, r *http.Request) {
			timer := time.NewTimer(patience * 3 / 4)
			defer timer.Stop()
			<-timer.C
			says(webStatus)(w, r)
		}}).start(t, folder(t), "late")
		running := make(chan bool, 1)
		_, tries, _ := Find(
			t.Context(),
			Places{
				Getenv: env(hook, late),
				Dirs:   []string{},
				UID:    -1,
				Tmux: func(ctx context.Context, _ string) (string, bool) {
					running <- true
					<-ctx.Done()
					<-running
					return "", false
				},
			},
		)
		if want := "late from VSCODE_IPC_HOOK_CLI: answers (web)\n"; said(tries) != want || len(running) != 0 {
			t.Errorf("tmux is asked still: %d, after\n%s", len(running), said(tries))
		}
	})
	t.Run("who need not be asked is not", func(t *testing.T) {
		t.Parallel()
		quiet := &stand{}
		place := folder(t)
		quiet.start(t, place, "other")
		slow := (&stand{status: hangs}).start(t, place, "desktop")
		if w, _, _ := Find(t.Context(), Places{Getenv: env(hook, slow), Dirs: []string{place},
			UID: -1}); w.Client != Desktop {
			t.Errorf("found %+v, want the named desktop", w)
		}
		if got := quiet.messages(); len(got) != 0 {
			t.Errorf("the other window was sent %+v", got)
		}
	})
}

// TestFindTakesOneWait: however many hang, the time of one.
func TestFindTakesOneWait(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	good := (&stand{}).start(t, dir, "good")
	want := "named from VSCODE_IPC_HOOK_CLI: no answer within 1s\n"
	for i := 12; i > 0; i-- {
		want += fmt.Sprintf("%d from scan: no answer within 1s\n", i)
	}
	for i := range 12 {
		mute(t, dir, fmt.Sprint(i+1))
	}
	begin := time.Now()
	w, tries, _ := Find(t.Context(), Places{Getenv: env(hook, mute(t, dir, "named")), Dirs: []string{dir}, UID: -1})
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %v, twelve waits would be 12s", took)
	}
	if got := said(tries); w.Path != good || got != want+"good from scan: answers (web)\n" {
		t.Errorf("found %+v after\n%s", w, got)
	}
}

// TestFindIsBounded: the newest of a crowd, and no more.
func TestFindIsBounded(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	(&stand{}).start(t, dir, "too-old")
	for i := range maxScanned {
		stale(t, dir, fmt.Sprint(i))
	}
	if _, tries, found := Find(t.Context(), Places{Getenv: env("STY", "x"), Dirs: []string{dir}, UID: -1}); found ||
		len(tries) != maxScanned {
		t.Errorf("found %v after %d tries, want %d tries and nothing", found, len(tries), maxScanned)
	}
}

func TestFindEnds(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, tries, found := Find(ctx, Places{Getenv: env(hook, mute(t, dir, "x")), Dirs: []string{}, UID: -1})
	if got := said(tries); found || got != "x from VSCODE_IPC_HOOK_CLI: not waited for\n" {
		t.Errorf("found %v after %s", found, got)
	}
}

// TestFindUsualPlaces: the folders that VS Code itself would take.
func TestFindUsualPlaces(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"XDG_RUNTIME_DIR", "TMPDIR"} {
		dir := folder(t)
		path := (&stand{}).start(t, dir, "x")
		if err := os.Chtimes(path, time.Now().Add(time.Hour),
			time.Now().Add(time.Hour)); err != nil { // newer than any real one
			t.Fatal(err)
		}
		if w, tries, _ := Find(t.Context(), Places{Getenv: env("STY", "x", name, dir), UID: -1}); w.Path != path {
			t.Errorf("%s: found %+v after %+v", name, w, tries)
		}
	}
	if w, tries, found := Find(t.Context(), Places{}); found || len(tries) > 0 {
		t.Errorf("the zero value found %+v, looked at %+v", w, tries)
	}
}
