package e2e

import (
	"io"
	"net"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/homing-cli/homing/internal/browsertest"
	"github.com/homing-cli/homing/internal/netnstest"
)

// The addresses of the three machines. Nothing leads from the laptop to the remote, but what a test adds.
const (
	cloudIP  = "10.77.0.1"
	laptopIP = "10.77.3.1" // on the cable between the two, where a test lays one
	remoteIP = "10.77.3.2"
)

// away is a person whose browser is on the laptop and whose shell is on the remote, two machines; both reach the
// cloud, where the emulator is. Programs that home starts run on the remote.
type away struct {
	*home
	laptop, remote, cloud *netnstest.Machine
	browser               *browsertest.Browser
}

// newAway makes the machines, the cables to the cloud, and the emulator in it.
func newAway(t *testing.T) *away {
	t.Helper()
	a := &away{laptop: netnstest.New(t, "laptop"), remote: netnstest.New(t, "remote"), cloud: netnstest.New(t, "cloud")}
	a.cloud.Address(t, cloudIP+"/32")
	netnstest.Link(t, a.laptop, "10.77.1.2/24", a.cloud, "10.77.1.1/24")
	netnstest.Link(t, a.remote, "10.77.2.2/24", a.cloud, "10.77.2.1/24")
	a.laptop.Route(t, cloudIP+"/32", "10.77.1.1")
	a.remote.Route(t, cloudIP+"/32", "10.77.2.1")
	l, err := a.cloud.Listen(cloudIP + ":0")
	if err != nil {
		t.Fatal(err)
	}
	a.home = newHomeAt(t, l)
	a.enter = a.remote.Enter
	return a
}

// openBrowser starts a Chromium on the laptop. o names hosts that it shall find, and what it trusts.
func (a *away) openBrowser(o browsertest.Options) {
	a.t.Helper()
	o.Enter = a.laptop.Enter
	o.Hosts = strings.TrimPrefix(o.Hosts+", MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE "+cloudIP,
		", ")
	a.browser = browsertest.NewAt(a.t, o)
}

// terminal is a homing in a terminal of the remote.
type terminal struct {
	*run
	keys io.Writer
}

// inTerminal starts homing in a terminal.
func (a *away) inTerminal(args ...string) *terminal {
	a.t.Helper()
	cmd, cancel := a.command(binary, args...)
	return runInTerminal(a.t, cmd, cancel, newRun(a.t, binary, args))
}

func runInTerminal(t *testing.T, cmd *exec.Cmd, cancel func(), r *run) *terminal {
	t.Helper()
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	r.watch(cmd, cancel, func() {
		_, _ = io.Copy(&lockedWriter{&r.mu, &r.stdout}, screen) // ends with an error when the terminal is hung up
	})
	return &terminal{run: r, keys: screen}
}

// typed sends keys to the terminal.
func (s *terminal) typed(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.keys, keys); err != nil {
		s.t.Fatal(err)
	}
}

// paste does what a terminal does with the clipboard: in brackets when the program asked for them.
func (s *terminal) paste(text string) {
	s.t.Helper()
	s.mu.Lock()
	said := s.stdout.String()
	s.mu.Unlock()
	if strings.LastIndex(said, "\x1b[?2004h") > strings.LastIndex(said, "\x1b[?2004l") {
		text = "\x1b[200~" + text + "\x1b[201~"
	}
	s.typed(text)
}

var escapes = regexp.MustCompile(`\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\))`)

// screen returns what was written to the terminal, as text.
func (s *terminal) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(escapes.ReplaceAllString(s.stdout.String(), ""), "\r", "")
}

// authorize waits for the address to open in the browser.
func (s *terminal) authorize() string {
	s.t.Helper()
	return s.find(`(http://` + regexp.QuoteMeta(cloudIP) + `:\d+/authorize\?[^\s\x1b\x07]+)`)
}

// listenerPort is the port that homing listens on, by the address that the browser opens.
func listenerPort(t *testing.T, authorize string) int {
	t.Helper()
	u, err := url.Parse(authorize)
	if err != nil {
		t.Fatal(err)
	}
	redirect, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(redirect.Port())
	if err != nil {
		t.Fatalf("redirect_uri %q of %q: %v", redirect, authorize, err)
	}
	return port
}

// refused is what a person meets first: they sign in on the laptop and allow it, and the browser is sent to the
// laptop's own loopback, where nothing listens. The login keeps waiting. It returns the text of the address bar.
func (a *away) refused(r *run, authorize string) (failed string) {
	a.t.Helper()
	a.browser.Open(authorize)
	a.browser.SignIn("ada")
	a.browser.WaitText("homing-dev asks to act for you")
	a.browser.Allow()
	a.browser.WaitText("127.0.0.1 refused to connect.")
	a.browser.WaitText("ERR_CONNECTION_REFUSED")
	failed = a.browser.Address()
	port := listenerPort(a.t, authorize)
	u, err := url.Parse(failed)
	if err != nil || u.Scheme != "http" || u.Host != net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) ||
		u.Path != "/oauth/callback" ||
		u.Query().Get("code") == "" || u.Query().Get("state") == "" {
		a.t.Fatalf("the address bar holds no redirect to port %d: %q", port, failed)
	}
	a.waits(r, port)
	return failed
}

// goesOn checks that the login has not ended.
func (a *away) goesOn(r *run) {
	a.t.Helper()
	select {
	case <-r.done:
		a.t.Fatalf("the login ended with %d", r.code)
	default:
	}
	if n := a.tokens(); n != 0 {
		a.t.Fatalf("%d token files, want none yet", n)
	}
}

// waits checks that the login keeps its listener on the remote's loopback and nowhere else.
func (a *away) waits(r *run, port int) {
	a.t.Helper()
	a.goesOn(r)
	c, err := a.remote.DialPort(a.t.Context(), port)
	if err != nil {
		a.t.Fatalf("the listener is gone: %v", err)
	}
	_ = c.Close()
	for _, m := range []*netnstest.Machine{a.laptop, a.cloud} {
		for _, ip := range []string{"127.0.0.1", "10.77.2.2", remoteIP} {
			if c, err := m.Dial(a.t.Context(), net.JoinHostPort(ip, strconv.Itoa(port))); err == nil {
				_ = c.Close()
				a.t.Fatalf("the %s reaches the listener at %s without any channel", m.Name, ip)
			}
		}
	}
}

// signedIn checks the good end: the page in the browser, exit 0, one token that works.
func (a *away) signedIn(r *run) {
	a.t.Helper()
	a.browser.WaitHeading("You are signed in")
	if strings.Contains(a.browser.Address(), "code=") {
		a.t.Errorf("the address bar still holds the code: %q", a.browser.Address())
	}
	a.completed(r)
}

// completed is signedIn without a page.
func (a *away) completed(r *run) {
	a.t.Helper()
	r.exit(0)
	if n := a.tokens(); n != 1 {
		a.t.Errorf("%d token files, want 1", n)
	}
	a.wantCredentials("dev")
}
