package e2e

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/browsertest"
	"github.com/homing-cli/homing/internal/editortest"
)

// TestRemoteLoopbackFails is where a person starts from when nothing leads back: however often they reload.
func TestRemoteLoopbackFails(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	a.openBrowser(browsertest.Options{})
	r := a.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json")
	failed := a.refused(r, text(t, r.event("authorize"), "url"))
	a.browser.Reload()
	a.browser.WaitText("ERR_CONNECTION_REFUSED")
	if again := a.browser.Address(); again != failed {
		t.Errorf("after a reload the address bar holds %q, want %q", again, failed)
	}
}

// TestRemotePaste pastes the address of the failed page into the terminal that waits.
func TestRemotePaste(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	a.openBrowser(browsertest.Options{})
	s := a.inTerminal("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser")
	failed := a.refused(s.run, s.authorize())
	s.paste(failed)
	a.completed(s.run)
	a.hidden(s, failed)
}

// hidden checks that nothing of the address that came back is on the terminal.
func (a *away) hidden(s *terminal, failed string) {
	a.t.Helper()
	u, err := url.Parse(failed)
	if err != nil {
		a.t.Fatal(err)
	}
	if code := u.Query().Get("code"); strings.Contains(s.screen(), code) {
		a.t.Errorf("the code is on the terminal:\n%s", s.screen())
	}
}

// TestRemoteCallback hands the address of the failed page to another shell of the remote.
func TestRemoteCallback(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	a.openBrowser(browsertest.Options{})
	r := a.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json")
	authorize := text(t, r.event("authorize"), "url")
	failed := a.refused(r, authorize)

	stale, err := url.Parse(failed)
	if err != nil {
		t.Fatal(err)
	}
	query := stale.Query()
	query.Set("state", "of-another-login")
	stale.RawQuery = query.Encode()
	a.startFrom(strings.NewReader(stale.String()+"\n"), binary, "callback").exit(4)
	a.startFrom(strings.NewReader("http://127.0.0.1/\n"), binary, "callback").exit(2)
	a.waits(r, listenerPort(t, authorize))

	a.startFrom(strings.NewReader(failed+"\n"), binary, "callback").exit(0)
	if signedIn := r.event("signed_in"); signedIn["channel"] != "callback" {
		t.Errorf("signed_in: %v", signedIn)
	}
	a.completed(r)
}

// TestRemoteDevice gives the redirect up and asks for a device code by a key.
func TestRemoteDevice(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	a.openBrowser(browsertest.Options{})
	s := a.inTerminal("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser")
	a.refused(s.run, s.authorize())
	s.typed("d")
	code := s.find(`([B-DF-HJ-NP-TV-Z]{4}-[B-DF-HJ-NP-TV-Z]{4})`)
	a.browser.Open(a.base + "/device")
	a.browser.TypeCode(code)
	a.browser.WaitText("homing-dev asks to act for you")
	a.browser.WaitText(code)
	a.browser.Allow()
	a.browser.WaitHeading("Request approved")
	a.completed(s.run)
}

// TestRemoteHostSwap comes back through the web proxy of a codespace: the person puts the address that homing names
// in place of http://127.0.0.1:PORT on the failed page.
func TestRemoteHostSwap(t *testing.T) {
	t.Parallel()
	for name, rewrite := range map[string]bool{"Host becomes localhost": true, "Host is kept": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAway(t)
			const codespace = "fluffy-robot-x7q5"
			proxy := a.codespacesProxy(codespace, rewrite)
			a.openBrowser(browsertest.Options{Hosts: "MAP *.app.github.dev " + proxy.Listener.Addr().String(),
				Trust: proxy.Certificate()})
			opened := make(chan string, 1)
			window := editortest.Start(t, "", editortest.Options{Client: editortest.Web,
				Open: func(url string) { opened <- url }})
			maps.Copy(a.env, window.Environment())
			a.env["CODESPACES"], a.env["CODESPACE_NAME"] = "true", codespace
			a.env["GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"] = "app.github.dev"

			s := a.inTerminal("login", "--sso-session", "dev", "--flow", "pkce")
			authorize := openedBy(s.run, opened)
			failed := a.refused(s.run, authorize)
			port := listenerPort(t, authorize)
			origin := s.find(fmt.Sprintf(`(https://%s-%d\.app\.github\.dev)`, codespace, port))
			a.browser.Open(strings.Replace(failed, "http://127.0.0.1:"+strconv.Itoa(port), origin, 1))
			a.signedIn(s.run)
			if u, err := url.Parse(a.browser.URL()); err != nil || u.Scheme+"://"+u.Host != origin {
				t.Errorf("the last page is at %q, want %s", a.browser.URL(), origin)
			}
		})
	}
}

// openedBy waits until the editor's window has been given an address.
func openedBy(r *run, opened <-chan string) string {
	r.t.Helper()
	select {
	case url := <-opened:
		return url
	case <-r.done:
		r.t.Fatalf("ended with %d and opened nothing", r.code)
	case <-time.After(30 * time.Second):
		r.t.Fatal("nothing was opened")
	}
	return ""
}

// codespacesProxy is what a codespace's forwarded ports are reached by: https://NAME-PORT.app.github.dev, which asks
// for a sign-in first (here without a question: two redirects and a cookie) and then leads to localhost:PORT of
// the remote, by an agent there.
func (a *away) codespacesProxy(codespace string, rewrite bool) *httptest.Server {
	a.t.Helper()
	host := regexp.MustCompile(`^` + regexp.QuoteMeta(codespace) + `-(\d+)\.app\.github\.dev$`)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := host.FindStringSubmatch(r.Host)
		if m == nil {
			http.Error(w, "no such codespace", http.StatusNotFound)
			return
		}
		const cookie = "codespaces_signed_in"
		if r.URL.Path == "/.codespaces/signin" {
			http.SetCookie(w, &http.Cookie{Name: cookie, Value: "1", Path: "/", Secure: true, HttpOnly: true})
			http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
			return
		}
		if _, err := r.Cookie(cookie); err != nil {
			http.Redirect(w, r, "/.codespaces/signin?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusFound)
			return
		}
		proxy := &httputil.ReverseProxy{
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetXForwarded()
				p.Out.URL.Scheme, p.Out.URL.Host = "http", "localhost:"+m[1]
				if rewrite {
					p.Out.Host = p.Out.URL.Host
				}
			},
			Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _,
				addr string) (net.Conn, error) {
				return a.remote.Dial(ctx, addr)
			}},
		}
		proxy.ServeHTTP(w, r)
	}))
	l, err := a.cloud.Listen(cloudIP + ":0")
	if err != nil {
		a.t.Fatal(err)
	}
	_ = srv.Listener.Close()
	srv.Listener = l
	srv.StartTLS()
	a.t.Cleanup(srv.Close)
	return srv
}

// TestRemoteDesktopEditor has VS Code on the laptop and its terminal on the remote: it forwards the port that it
// finds in the address, and the person does nothing but sign in.
func TestRemoteDesktopEditor(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	a.openBrowser(browsertest.Options{})
	window, opened := a.desktopEditor()

	r := a.start("login", "--sso-session", "dev", "--json")
	authorize := openedBy(r, opened)
	port := listenerPort(t, authorize)
	if tunnels := window.Tunnels(); tunnels[port] != port {
		t.Errorf("the tunnels are %v, want one for port %d", tunnels, port)
	}
	a.browser.Open(authorize)
	a.browser.SignIn("ada")
	a.browser.Allow()
	a.signedIn(r)
}

// TestRemoteDesktopEditorPortTaken has another program of the laptop on the port that the editor should forward. VS
// Code forwards another one then, opens the browser all the same, and the redirect ends at the wrong program. The
// login waits, and the address is still good for a paste.
func TestRemoteDesktopEditorPortTaken(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	a.openBrowser(browsertest.Options{})
	window, opened := a.desktopEditor()
	const port = 14700
	l, err := a.laptop.Listen("127.0.0.1:" + strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>x</title><h1>Another program</h1>"))
	}))
	_ = other.Listener.Close()
	other.Listener = l
	other.Start()
	t.Cleanup(other.Close)

	s := a.inTerminal("login", "--sso-session", "dev", "--redirect-port", strconv.Itoa(port))
	authorize := openedBy(s.run, opened)
	if tunnels := window.Tunnels(); tunnels[port] == 0 || tunnels[port] == port {
		t.Errorf("the tunnels are %v, want one for port %d that has another number on the laptop", tunnels, port)
	}
	a.browser.Open(authorize)
	a.browser.SignIn("ada")
	a.browser.Allow()
	a.browser.WaitHeading("Another program")
	a.goesOn(s.run)
	failed := a.browser.Address()
	s.paste(failed)
	a.completed(s.run)
	a.hidden(s, failed)
}

// desktopEditor makes the terminal one of VS Code on the laptop, by Remote-SSH. Its window forwards ports from the
// laptop's loopback to the remote's, and hands on the addresses to open.
func (a *away) desktopEditor() (*editortest.Window, <-chan string) {
	a.t.Helper()
	opened := make(chan string, 1)
	window := editortest.Start(a.t, "", editortest.Options{
		Client: editortest.Desktop, StatusDelay: 1100 * time.Millisecond,
		Open: func(url string) { opened <- url },
		Listen: func(port int) (net.Listener, error) {
			return a.laptop.Listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		},
		Dial: a.remote.DialPort,
	})
	maps.Copy(a.env, window.Environment())
	a.env["SSH_CONNECTION"] = laptopIP + " 50000 " + remoteIP + " 22" // and no SSH_TTY: the editor's ssh has none
	return window, opened
}
