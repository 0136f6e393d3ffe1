package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Person is somebody with a browser, in code: what a test passes to a client in place of a function that opens a
// browser. It reads the emulator's real pages, fills in their forms, presses their buttons and follows every
// redirect, the last one to the client's loopback listener included; it knows nothing of the emulator's state.
//
// The browser keeps its cookies, so a second Open comes with a warm portal session. A new Person is a fresh browser.
// Methods may be called by many goroutines; fields must not change meanwhile. A Person must not be copied.
type Person struct {
	// Transport carries the requests to the emulator; nil means http.DefaultTransport. Server.Person sets it to call
	// the handler without sockets, for testing/synctest.
	Transport http.RoundTripper
	// Redirect carries the request that a code sign-in ends with, to the client's redirect URI; nil means
	// http.DefaultTransport.
	Redirect http.RoundTripper

	// UserName is typed into the identity provider's form; "" leaves the text that is there.
	UserName string
	// Password is typed into the identity provider's form; the emulator takes any.
	Password string
	// UserCode is typed into the device page; "" leaves what the verification URL put there.
	UserCode string
	// Deny makes the person press "Deny access" in place of "Allow access".
	Deny bool

	mu    sync.Mutex
	jar   http.CookieJar
	steps []string
}

// maxSteps is the most requests of one Open. The longest path there is takes nine.
const maxSteps = 30

// Open walks from an authorize URL or a verification URL to the end of the sign-in and returns when the last page is
// there. What the emulator or the listener refuses is an error that repeats the page's words; to have denied, when
// Deny is set, is none. Errors hold no code and no token.
func (p *Person) Open(ctx context.Context, rawURL string) error {
	start, err := url.Parse(rawURL)
	if err != nil {
		return fmt.Errorf("emulator: person: %w", withoutURL(err))
	}
	w := &walk{person: p, jar: p.cookies(), transport: or(p.Transport, http.DefaultTransport),
		redirect: or(p.Redirect, http.DefaultTransport)}
	if redirect, err := url.Parse(start.Query().Get("redirect_uri")); err == nil {
		w.redirectHost = redirect.Host
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	for range maxSteps {
		if err != nil {
			return fmt.Errorf("emulator: person: %w", withoutURL(err))
		}
		if req == nil {
			return nil
		}
		req, err = w.step(req)
	}
	return errors.New("emulator: person: too many redirects")
}

// Steps returns the names of the pages that this Person has seen, oldest first: "sign-in", "device", "consent",
// "approved", "denied", "portal", and "redirect" for the client's listener.
func (p *Person) Steps() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.steps)
}

func (p *Person) cookies() http.CookieJar {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.jar == nil {
		p.jar, _ = cookiejar.New(nil) // fails never: cookiejar.New's contract without options
	}
	return p.jar
}

func (p *Person) saw(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps = append(p.steps, step)
}

// walk is one Open.
type walk struct {
	person              *Person
	jar                 http.CookieJar
	transport, redirect http.RoundTripper
	redirectHost        string // host:port of the client's redirect URI; "" in a device sign-in
}

// step sends req and returns the request that a person's next act makes, or nil at the end.
func (w *walk) step(req *http.Request) (*http.Request, error) {
	atClient := w.redirectHost != "" && req.URL.Host == w.redirectHost
	client := &http.Client{Transport: w.transport, Jar: w.jar, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}
	if atClient {
		client.Transport = w.redirect
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if location := resp.Header.Get("Location"); location != "" && resp.StatusCode/100 == 3 {
		return follow(req, location)
	}
	switch {
	case atClient && resp.StatusCode/100 == 2:
		w.person.saw("redirect")
		return nil, nil
	case atClient:
		return nil, fmt.Errorf("the client's listener at %s answers %s", w.redirectHost, resp.Status)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return nil, fmt.Errorf("%s answers %s: %.200s", req.URL.Path, resp.Status, body)
	}
	pg := readPage(string(body))
	w.person.saw(pg.name)
	if pg.alert != "" {
		return nil, fmt.Errorf("page %q says: %s", pg.name, pg.alert)
	}
	return w.act(req, pg)
}

// act is what the person does on a page.
func (w *walk) act(req *http.Request, pg seenPage) (*http.Request, error) {
	p := w.person
	switch markup(pg.name) {
	case pageSignIn:
		if p.UserName != "" {
			pg.fields.Set(fieldUserName, p.UserName)
		}
		pg.fields.Set(fieldPassword, p.Password)
		if pg.fields.Get(fieldUserName) == "" {
			return nil, errors.New("the identity provider asks for a user name: set Person.UserName")
		}
	case pageDevice:
		if p.UserCode != "" {
			pg.fields.Set(fieldUserCode, p.UserCode)
		}
		if pg.fields.Get(fieldUserCode) == "" {
			return nil, errors.New("the page asks for the code: set Person.UserCode")
		}
	case pageConsent:
		pg.fields.Set(fieldDecision, decisionAllow)
		if p.Deny {
			pg.fields.Set(fieldDecision, decisionDeny)
		}
	case pagePortal:
		// What portalScript does in a browser with JavaScript.
		if query, ok := strings.CutPrefix(req.URL.Fragment, "/device"); ok {
			return follow(req, pg.action+query)
		}
		pg.fields.Set(fieldUserCode, p.UserCode)
	case pageApproved:
		if p.Deny {
			return nil, errors.New("the request was approved, by an earlier consent to the same client")
		}
		return nil, nil
	case pageDenied:
		return nil, nil
	default:
		return nil, fmt.Errorf("%s is not a page of the emulator", req.URL.Path)
	}
	return submit(req, pg)
}

// follow makes the GET that a redirect asks for. A fragment is inherited (RFC 9110 section 10.2.2).
func follow(from *http.Request, location string) (*http.Request, error) {
	to, err := from.URL.Parse(location)
	if err != nil {
		return nil, err
	}
	if to.Fragment == "" {
		to.Fragment = from.URL.Fragment
	}
	return http.NewRequestWithContext(from.Context(), http.MethodGet, to.String(), nil)
}

// submit makes the request that sending the page's form does.
func submit(from *http.Request, pg seenPage) (*http.Request, error) {
	to, err := from.URL.Parse(pg.action)
	if err != nil {
		return nil, err
	}
	to.Fragment = ""
	if pg.method == "get" {
		to.RawQuery = pg.fields.Encode()
		return http.NewRequestWithContext(from.Context(), http.MethodGet, to.String(), nil)
	}
	req, err := http.NewRequestWithContext(from.Context(), http.MethodPost, to.String(),
		strings.NewReader(pg.fields.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", from.URL.Scheme+"://"+from.URL.Host)
	return req, nil
}

// withoutURL strips the URL from an error of net/http, since it may hold an authorization code.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}
