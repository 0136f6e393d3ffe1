package credserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

const token = "SECRET-of-this-server"

func creds(id string, until time.Time) session.RoleCredentials {
	return session.RoleCredentials{
		AccountID: "111122223333", AccessKeyID: id, SecretAccessKey: session.NewSecret("SECRET-key"),
		SessionToken: session.NewSecret("SECRET-session"), Expiration: until,
	}
}

// server serves the profiles dev and "a b/c", and answers with what get returns.
func server(get func(profile string) (session.RoleCredentials, error)) *Server {
	return &Server{
		Token: session.NewSecret(token), Port: 4711, Profiles: []string{"dev", "a b/c"},
		Credentials: func(_ context.Context, profile string, _ time.Duration) (Found, error) {
			c, err := get(profile)
			return Found{Credentials: c}, err
		},
	}
}

func ask(s *Server, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/dev", nil)
	r.Host = "127.0.0.1:4711"
	r.Header.Set("Authorization", token)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	until := time.Date(2096, 3, 2, 17, 0, 0, 123456789, time.FixedZone("", 3600))
	s := server(func(profile string) (session.RoleCredentials, error) { return creds("ASIA-"+profile, until), nil })
	w := ask(s, nil)
	want := `{"AccessKeyId":"ASIA-dev","SecretAccessKey":"SECRET-key","Token":"SECRET-session","Expiration":"2096-03-02T16:00:00Z","AccountId":"111122223333"}`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Code != http.StatusOK {
		t.Errorf("%d (-want +got):\n%s", w.Code, diff)
	}
	if got := w.Header(); got.Get("Content-Type") != "application/json" || got.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", got)
	}
	w = ask(s, func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a b/c", Path("a b/c") })
	if !strings.Contains(w.Body.String(), `"ASIA-a b/c"`) {
		t.Errorf("%s: %d %s", Path("a b/c"), w.Code, w.Body)
	}
	if got := URL(4711, Path("a b/c")); got != "http://127.0.0.1:4711/a%20b%2Fc" {
		t.Error(got)
	}
	if got := ask(s, func(r *http.Request) { r.URL.Path = "/" }).Code; got != http.StatusNotFound {
		t.Errorf("/ with two profiles: %d", got)
	}
	s.Profiles = s.Profiles[:1]
	if got := ask(s, func(r *http.Request) { r.URL.Path = "/" }).Code; got != http.StatusOK {
		t.Errorf("/ with one profile: %d", got)
	}
}

// What must be refused, and that nothing is asked for then.
func TestRefused(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	path := func(p string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = p } }
	rows := map[string]struct {
		change func(*http.Request)
		status int
	}{
		"no token":        {func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"empty token":     {header("Authorization", ""), 401},
		"another token":   {header("Authorization", "SECRET-of-this-serveR"), 401},
		"a part of it":    {header("Authorization", token[:len(token)-1]), 401},
		"more than it":    {header("Authorization", token+"x"), 401},
		"with a line end": {header("Authorization", token+"\n"), 401},
		"bearer":          {header("Authorization", "Bearer "+token), 401},
		"two tokens":      {func(r *http.Request) { r.Header.Add("Authorization", token) }, 401},
		"origin":          {header("Origin", "http://127.0.0.1:4711"), 403},
		"origin null":     {header("Origin", "null"), 403},
		"empty origin":    {header("Origin", ""), 403},
		"fetch site":      {header("Sec-Fetch-Site", "same-origin"), 403},
		"fetch mode":      {header("Sec-Fetch-Mode", "navigate"), 403},
		"another host":    {host("evil.example:4711"), 403},
		"host as suffix":  {host("127.0.0.1.evil.example:4711"), 403},
		"another port":    {host("127.0.0.1:80"), 403},
		"no port":         {host("127.0.0.1"), 403},
		"no host":         {host(""), 403},
		"another address": {host("127.0.0.2:4711"), 403},
		"post":            {func(r *http.Request) { r.Method = http.MethodPost }, 405},
		"head":            {func(r *http.Request) { r.Method = http.MethodHead }, 405},
		"options":         {func(r *http.Request) { r.Method = http.MethodOptions }, 405},
		"unknown profile": {path("/prod"), 404},
		"profile below":   {path("/dev/"), 404},
		"dots":            {path("/../dev"), 404},
		"case":            {path("/DEV"), 404},
		"root of several": {path("/"), 404},
		"asterisk":        {path("*"), 404},
		"empty path":      {path(""), 404},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(func(string) (session.RoleCredentials, error) {
				t.Error("credentials were asked for")
				return creds("ASIA", time.Now().Add(time.Hour)), nil
			})
			w := ask(s, row.change)
			if w.Code != row.status {
				t.Errorf("%d, want %d", w.Code, row.status)
			}
			var body struct{ Code, Message string }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Code == "" || body.Message == "" {
				t.Errorf("body %q: %v", w.Body, err)
			}
			if strings.Contains(w.Body.String(), "SECRET") {
				t.Errorf("a secret in %q", w.Body)
			}
			if (w.Code == 401 || w.Code == 403) && strings.Contains(w.Body.String(), "dev") {
				t.Errorf("a stranger is told a profile: %s", w.Body)
			}
		})
	}
	for _, h := range []string{"127.0.0.1:4711", "localhost:4711", "LOCALHOST:4711", "[::1]:4711"} {
		s := server(
			func(string) (session.RoleCredentials, error) { return creds("ASIA", time.Now().Add(time.Hour)), nil },
		)
		if w := ask(s, host(h)); w.Code != 200 {
			t.Errorf("%s: %d", h, w.Code)
		}
	}
	s := server(nil)
	s.Token = session.Secret{}
	if w := ask(s, header("Authorization", "")); w.Code != 401 {
		t.Errorf("a server without a token answers %d", w.Code)
	}
}

// 4xx ends an SDK's tries, 5xx does not.
func TestErrorStatus(t *testing.T) {
	t.Parallel()
	rows := []struct {
		err    error
		status int
		body   string
	}{
		{fault.Suggest(fault.SignInNeeded, fault.Login{Session: "dev"}, "session \"dev\" has ended"), 403,
			`{"code":"SignInNeeded","message":"session \"dev\" has ended; sign in to dev"}`},
		{fault.New(fault.Denied, "", "no access"), 403, `{"code":"AccessDenied","message":"no access"}`},
		{
			fault.New(fault.Config, "", "no such profile"),
			400,
			`{"code":"InvalidConfiguration","message":"no such profile"}`,
		},
		{
			fault.New(fault.Unavailable, "", "no \x1b[31mnetwork"),
			503,
			`{"code":"ServiceUnavailable","message":"no network"}`,
		},
		{fault.New(fault.TimedOut, "", "late"), 504, `{"code":"Timeout","message":"late"}`},
		{errors.New("bug"), 500, `{"code":"InternalError","message":"bug"}`},
	}
	for _, row := range rows {
		s := server(func(string) (session.RoleCredentials, error) { return session.RoleCredentials{}, row.err })
		s.Hint = func(err error) string {
			if login, ok := fault.RemedyOf(err).(fault.Login); ok {
				return "sign in to " + login.Session
			}
			return ""
		}
		w := ask(s, nil)
		if w.Code != row.status || w.Body.String() != row.body {
			t.Errorf("%v: %d %s", row.err, w.Code, w.Body)
		}
	}
	s := server(func(string) (session.RoleCredentials, error) {
		return creds("ASIA", time.Now().Add(time.Hour)), fault.New(fault.Unavailable, "", "malformed")
	})
	if w := ask(s, nil); w.Code != 503 || strings.Contains(w.Body.String(), "SECRET") {
		t.Errorf("what comes along with an error: %d %s", w.Code, w.Body)
	}
	s = server(func(string) (session.RoleCredentials, error) { panic("SECRET-no") })
	if w := ask(s, nil); w.Code != 500 {
		t.Errorf("after a panic: %d", w.Code)
	}
	s = server(func(string) (session.RoleCredentials, error) { return creds("ASIA", time.Now()), nil })
	if w := ask(s, nil); w.Code != 503 {
		t.Errorf("with lapsed credentials: %d %s", w.Code, w.Body)
	}
}

// Of many who ask at once one call is made; who leaves does not end it.
func TestOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		s := server(nil)
		s.Credentials = func(ctx context.Context, _ string, _ time.Duration) (Found, error) {
			calls.Add(1)
			select {
			case <-ctx.Done():
				return Found{}, ctx.Err()
			case <-time.After(10 * time.Second):
				return Found{Credentials: creds("ASIA", time.Now().Add(time.Hour))}, nil
			}
		}
		impatient, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if _, err := s.Get(impatient, "dev"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient one got %v", err)
		}
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if c, err := s.Get(t.Context(), "dev"); err != nil || c.AccessKeyID != "ASIA" {
					t.Errorf("%v %v", c, err)
				}
			})
		}
		all.Wait()
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

// A day with one request an hour: credentials are replaced before the last 15 minutes, and not for nobody.
func TestRenewedAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fetched []time.Time
		var now session.RoleCredentials
		var fails atomic.Bool
		var troubles []string
		s := server(nil)
		s.Trouble = func(profile string, err error) { troubles = append(troubles, profile+": "+err.Error()) }
		s.Credentials = func(_ context.Context, _ string, minTTL time.Duration) (Found, error) {
			if time.Until(now.Expiration) > minTTL {
				return Found{Credentials: now}, nil
			}
			if fails.Load() {
				return Found{Credentials: now, Last: fault.New(fault.Unavailable, "", "no network")}, nil
			}
			fetched = append(fetched, time.Now())
			now = creds("ASIA"+time.Now().Format("150405"), time.Now().Add(time.Hour))
			return Found{Credentials: now}, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		go s.Renew(ctx, 20*time.Second)
		sleep := func(d time.Duration) { // until all is quiet: what follows looks at what the others did
			time.Sleep(d)
			synctest.Wait()
		}
		get := func() {
			t.Helper()
			c, err := s.Get(t.Context(), "dev")
			if left := time.Until(c.Expiration); err != nil || left <= 15*time.Minute {
				t.Errorf("%v, %s left", err, left)
			}
		}
		start := time.Now()
		for range 6 {
			get()
			sleep(30 * time.Minute)
		}
		var after []time.Duration
		for _, f := range fetched {
			after = append(after, f.Sub(start).Round(time.Minute))
		}
		want := []time.Duration{0, 40 * time.Minute, 80 * time.Minute, 120 * time.Minute, 160 * time.Minute}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("fetched (-want +got):\n%s", diff)
		}
		sleep(12 * time.Hour) // nobody asks
		if n := len(fetched) - len(want); n > 1 {
			t.Errorf("%d were fetched for nobody", n)
		}
		get()
		fails.Store(true)
		sleep(55 * time.Minute)
		fails.Store(false)
		sleep(2 * time.Minute)
		get()
		fails.Store(true)
		sleep(50 * time.Minute)
		if _, err := s.Get(t.Context(), "dev"); err != nil {
			t.Errorf("the last are good for ten minutes, and: %v", err)
		}
		sleep(10 * time.Minute)
		if _, err := s.Get(t.Context(), "dev"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("the last are over, and: %v", err)
		}
		if diff := cmp.Diff([]string{"dev: no network", "dev: no network"}, troubles); diff != "" {
			t.Errorf("troubles (-want +got):\n%s", diff)
		}
		stop()
		synctest.Wait()
	})
}

// Credentials that live short are replaced at half their life, not again and again.
func TestShortLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		var now session.RoleCredentials
		s := server(nil)
		s.Credentials = func(_ context.Context, _ string, minTTL time.Duration) (Found, error) {
			if time.Until(now.Expiration) <= minTTL {
				fetched++
				now = creds("ASIA"+time.Now().Format("150405"), time.Now().Add(10*time.Minute))
			}
			return Found{Credentials: now}, nil
		}
		for range 60 { // an hour
			if _, err := s.Get(t.Context(), "dev"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if fetched < 11 || fetched > 13 {
			t.Errorf("fetched %d times in an hour", fetched)
		}
	})
}

// Over a real connection: answered, ended in good time, and a silent stranger costs nobody else anything.
func TestServe(t *testing.T) {
	t.Parallel()
	l, port, err := Listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Listen(t.Context(), port); fault.KindOf(err) != fault.Config {
		t.Errorf("a port that is in use: %v", err)
	}
	s := server(func(string) (session.RoleCredentials, error) { return creds("ASIA", time.Now().Add(time.Hour)), nil })
	s.Port = port
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, l, time.Hour) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, URL(port, "/dev"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != 200 || !strings.Contains(string(text), `"ASIA"`) {
		t.Errorf("%v %d %s", err, resp.StatusCode, text)
	}
	var dialer net.Dialer
	for request, want := range map[string]int{ // that net/http has an answer of its own for
		"OPTIONS * HTTP/1.1\r\nHost: evil.example\r\n":                                                403,
		fmt.Sprintf("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", port):                             401,
		fmt.Sprintf("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: %s\r\n", port, token): 405,
	} {
		conn, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_ = conn.Close()
		if resp.StatusCode != want {
			t.Errorf("%q: %d, want %d", request, resp.StatusCode, want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if resp, err := http.DefaultClient.Do(req.Clone(t.Context())); err == nil {
		_ = resp.Body.Close()
		t.Error("it still answers")
	}
}

// FuzzRequest: without the token, from a page or for another Host no request gets credentials, whatever else it is.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/dev", "127.0.0.1:4711", token, "", "")
	f.Add("GET", "/a%20b%2Fc", "localhost:4711", token, "", "")
	f.Add("GET", "/dev", "127.0.0.1:4711", "x", "", "")
	f.Add("POST", "//dev", "[::1]:4711", token, "Origin", "null")
	f.Add("GET", "/%", "127.0.0.1:4711@evil:4711", "", "sec-fetch-site", "none")
	f.Add("GET", "/dev?x=y#z", "LOCALHOST:4711", token+" ", "Authorization", token)
	f.Fuzz(func(t *testing.T, method, path, host, auth, name, value string) {
		asked := ""
		s := server(func(profile string) (session.RoleCredentials, error) {
			asked = profile
			return creds("ASIA", time.Now().Add(time.Hour)), nil
		})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Method, r.Host = method, host
		r.URL.Path, r.URL.RawPath = path, path
		r.Header.Set("Authorization", auth)
		if name != "" {
			r.Header.Add(name, value)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		good := auth == token && method == http.MethodGet && strings.HasSuffix(host, ":4711") &&
			len(r.Header.Values("Authorization")) == 1 && len(r.Header.Values("Origin")) == 0
		switch {
		case w.Code == http.StatusOK && (!good || asked != "dev" && asked != "a b/c"):
			t.Fatalf("credentials of %q for %s %q Host %q Authorization %q %s: %q", asked, method, path, host, auth,
				name, value)
		case w.Code != http.StatusOK && strings.Contains(w.Body.String(), "SECRET"):
			t.Fatalf("a secret in %s", w.Body)
		case !json.Valid(w.Body.Bytes()):
			t.Fatalf("no JSON: %q", w.Body)
		}
	})
}
