package joint

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/files"
)

// place is a folder short enough for a socket, or long enough for none.
func place(t *testing.T, network string) Place {
	t.Helper()
	dir, err := os.MkdirTemp("", "joint") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if network == "tcp4" {
		dir = filepath.Join(dir, strings.Repeat("x", maxPath))
	}
	return Place{Dir: filepath.Join(dir, "waiting"), Name: "dev"}
}

func leads(t *testing.T, p Place, h Hello) *Leader {
	t.Helper()
	l, j, err := p.Meet(t.Context(), h)
	if l == nil {
		t.Fatalf("got %v, %v; want to lead", j, err)
	}
	t.Cleanup(func() { l.Close(nil) })
	return l
}

func joins(t *testing.T, p Place, h Hello) *Joined {
	t.Helper()
	l, j, err := p.Meet(t.Context(), h)
	if j == nil {
		t.Fatalf("got %v, %v; want to join", l, err)
	}
	t.Cleanup(j.Close)
	return j
}

// told returns the next message; open is false where there is none.
func told(t *testing.T, j *Joined) (m Message, open bool) {
	t.Helper()
	select {
	case m, open = <-j.Messages():
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
	return m, open
}

func wants(t *testing.T, j *Joined, body string, opens, outcome, left bool) {
	t.Helper()
	m, open := told(t, j)
	if !open || string(m.Body) != body || m.Opens != opens || m.Outcome != outcome || m.Left != left {
		t.Errorf("told %+v (%s), open %v; want %q, opens %v, outcome %v, left %v", m, m.Body, open, body, opens,
			outcome, left)
	}
}

func text(s string) json.RawMessage { return json.RawMessage(`"` + s + `"`) }

func TestTogether(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"unix", "tcp4"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			p := place(t, network)
			l := leads(t, p, Hello{})
			if got := l.server.Addr().Network(); got != strings.TrimSuffix(network, "4") {
				t.Fatalf("it serves on %s", got)
			}
			early := joins(t, p, Hello{})
			l.Offer([]Offer{{ID: "a", Body: text("A")}, {ID: "b", Body: text("B"), Opened: true}})
			wants(t, early, `"A"`, false, false, false)
			wants(t, early, `"B"`, false, false, false)
			l.Tell(text("hint"))
			wants(t, early, `"hint"`, false, false, false)

			// what is over is withdrawn, what is known is not told again, and one opens what nobody does
			l.Offer([]Offer{{ID: "a", Body: text("again"), Note: text("old note")}})
			l.Offer([]Offer{{ID: "a", Body: text("again"), Note: text("note")}})
			late, later := joins(t, p, Hello{Opens: true}), joins(t, p, Hello{Opens: true})
			if m, _ := told(t, late); string(m.Body) != `"A"` || !m.Opens {
				t.Errorf("the first who can open is told %+v", m)
			}
			wants(t, later, `"A"`, false, false, false)
			for _, j := range []*Joined{late, later} { // who was there has been told
				wants(t, j, `"note"`, false, false, false)
			}

			early.Send(Input{Key: 'd'})
			if in := <-l.Inputs(); in != (Input{Key: 'd'}) {
				t.Errorf("heard %+v", in)
			}
			paste := strings.Repeat("\x01<&\u2028", 64<<10/6)
			late.Send(Input{Text: paste})
			if in := <-l.Inputs(); in.Text != paste {
				t.Errorf("heard %d bytes of %d", len(in.Text), len(paste))
			}

			later.Close()
			l.Close(text("done"))
			for _, j := range []*Joined{early, late} {
				wants(t, j, `"done"`, false, true, false)
				if m, open := told(t, j); open {
					t.Errorf("after the outcome: %+v", m)
				}
			}
			if left, err := os.ReadDir(p.Dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestFilesArePrivate: the folder keeps others from the socket, the file's mode from the secret.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	p := place(t, "unix")
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l := leads(t, p, Hello{})
	for _, path := range []string{p.Dir, l.paths.secret, l.paths.lock} {
		if info, err := os.Stat(path); err != nil {
			t.Error(err)
		} else if !files.Private(info) {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
}

// TestOneLeads: however many come at once, one leads and all others join it; when it goes without an outcome, the
// same among those.
func TestOneLeads(t *testing.T) {
	t.Parallel()
	const n = 24
	p := place(t, "unix")
	var leaders sync.Map
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for {
				l, j, err := p.Meet(t.Context(), Hello{})
				if err != nil {
					t.Error(err)
					return
				}
				if l != nil {
					if _, again := leaders.LoadOrStore(l.secret, i); again {
						t.Error("one secret for two")
					}
					for { // all who are left join
						l.mu.Lock()
						joined := len(l.joined)
						l.mu.Unlock()
						led := 0
						leaders.Range(func(any, any) bool { led++; return true })
						if joined == n-led {
							break
						}
						time.Sleep(time.Millisecond)
					}
					l.Close(nil)
					return
				}
				if m, open := <-j.Messages(); open {
					t.Errorf("told %+v", m)
				}
			}
		})
	}
	all.Wait()
	led := 0
	leaders.Range(func(any, any) bool { led++; return true })
	if led != n {
		t.Errorf("%d led, want each once", led)
	}
}

func TestTakeOver(t *testing.T) {
	t.Parallel()
	p := place(t, "unix")
	old := leads(t, p, Hello{About: "x"})
	j := joins(t, p, Hello{About: "x"})
	go func() {
		<-old.Pushed()
		old.Close(nil)
	}()
	l := leads(t, p, Hello{About: "x", TakeOver: true})
	wants(t, j, "", false, false, true)

	// who had joined joins the new one; who wants another thing than that makes it leave
	j = joins(t, p, Hello{About: "x", Yield: true})
	go func(l *Leader) {
		<-l.Pushed()
		l.Close(nil)
	}(l)
	l = leads(t, p, Hello{About: "y"})
	wants(t, j, "", false, false, true)
	// unless what it gets there would do
	if j = joins(t, p, Hello{About: "x", Fits: func(about string) bool { return about == "y" }}); j.About() != "y" {
		t.Errorf("about %q, want y", j.About())
	}
	go func(l *Leader) {
		<-l.Pushed()
		l.Close(nil)
	}(l)
	leads(t, p, Hello{About: "x", Fits: func(about string) bool { return about == "z" }})
	wants(t, j, "", false, false, true)
}

// TestYield: who was told that its leader was made to leave lets another lead, but not for ever.
func TestYield(t *testing.T) {
	t.Parallel()
	p := place(t, "unix")
	started := time.Now()
	leads(t, p, Hello{Yield: true})
	if waited := time.Since(started); waited < grace {
		t.Errorf("it waited %v, want %v", waited, grace)
	}
}

// TestKilled: what a killed leader leaves behind does not stop the next login.
func TestKilled(t *testing.T) {
	t.Parallel()
	p := place(t, "unix")
	f, err := p.paths()
	if err != nil {
		t.Fatal(err)
	}
	server, a, err := listen(f)
	if err != nil {
		t.Fatal(err)
	}
	server.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = server.Close()
	remains, _ := json.Marshal(a)
	for _, path := range []string{f.lock, f.secret, files.TempName(f.secret, "")} {
		if err := os.WriteFile(path, remains, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := leads(t, p, Hello{})
	joins(t, p, Hello{})
	l.Close(nil)
	if left, err := os.ReadDir(p.Dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestSilent: somebody holds the lock who does not answer, or is not who wrote the file. Nobody waits for that, and
// nothing but a random number is sent.
func TestSilent(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"says nothing": "", "proves nothing": `{"Proof":"00","Challenge":"00"}` + "\n", "nonsense": "HTTP/1.1 400 Bad Request\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := place(t, "tcp4")
			f, err := p.paths()
			if err != nil {
				t.Fatal(err)
			}
			lock, err := hold(f.lock)
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Remove()
			server, a, err := listen(f)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = server.Close() }()
			body, _ := json.Marshal(a)
			if err := files.Write(f.secret, body); err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					conn, err := server.Accept()
					if err != nil {
						return
					}
					go func() {
						in := lineReader(conn)
						var g greeting
						if next(in, &g) != nil || len(g.Challenge) != 64 {
							t.Error("no greeting came")
						}
						_, _ = conn.Write([]byte(answer))
						if in.Scan() {
							t.Errorf("it was sent %d bytes", len(in.Bytes()))
						}
						_ = conn.Close()
					}()
				}
			}()
			for _, h := range []Hello{{}, {TakeOver: true}} {
				started := time.Now()
				if l, j, err := p.Meet(t.Context(), h); !errors.Is(err, ErrSilent) {
					t.Errorf("%+v: got %v, %v, %v", h, l, j, err)
				}
				if waited := time.Since(started); waited > 2*patience {
					t.Errorf("%+v: it waited %v", h, waited)
				}
			}
		})
	}
}

// TestStrangers: who cannot read the file is told nothing and moves nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	p := place(t, "tcp4")
	l := leads(t, p, Hello{})
	l.Offer([]Offer{{ID: "a", Body: text("A")}})
	for _, guess := range []string{
		`{"TakeOver":true}`, `{"Proof":"","Input":{"key":100}}`, `{"Proof":"` + proof("", toLeader, "") + `","TakeOver":true}`, "GET / HTTP/1.1\r\n",
	} {
		conn, err := net.Dial("tcp4", l.server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in := lineReader(conn)
		if err := line(conn, greeting{"x"}); err != nil {
			t.Fatal(err)
		}
		var c challenge
		if err := next(in, &c); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(guess + "\n"))
		if in.Scan() {
			t.Errorf("after %s it receives %s", guess, in.Bytes())
		}
		_ = conn.Close()
	}
	select {
	case <-l.Pushed():
		t.Error("a stranger took over")
	case in := <-l.Inputs():
		t.Errorf("a stranger typed %+v", in)
	default:
	}
	// a flood keeps no friend out for good
	for range 3 * maxUnknown {
		conn, err := net.Dial("tcp4", l.server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	wants(t, joins(t, p, Hello{}), `"A"`, false, false, false)
}

// TestSlow: a login that does not read is dropped, and does not hold up the others.
func TestSlow(t *testing.T) {
	t.Parallel()
	p := place(t, "unix")
	l := leads(t, p, Hello{})
	slow, quick := joins(t, p, Hello{}), joins(t, p, Hello{})
	go func() {
		for range 100 {
			l.Tell(text(strings.Repeat("x", 64<<10)))
			if m, _ := told(t, quick); len(m.Body) != 64<<10+2 {
				t.Errorf("%d bytes", len(m.Body))
			}
		}
		l.Close(text("done"))
	}()
	<-l.Done()
	for {
		if m, open := told(t, slow); !open || m.Outcome {
			break
		}
	}
}

func TestUnusableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if l, j, err := (Place{Dir: file, Name: "dev"}).Meet(t.Context(), Hello{}); l != nil || j != nil || err == nil ||
		errors.Is(err, ErrSilent) {
		t.Errorf("got %v, %v, %v", l, j, err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	p := place(t, "unix")
	f, err := p.paths()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := hold(f.lock)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Remove()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if l, j, err := p.Meet(ctx, Hello{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v, %v", l, j, err)
	}
}
