// Package browsertest drives a headless Chromium in a test, the way a person would: it finds fields and buttons by
// the names that a screen reader would say, clicks where they are, and presses keys.
//
// It knows the emulator's pages (SignIn, TypeCode, Allow, Deny) and leaves what a test is about to the test. The one
// rule: every method waits for what it needs and fails the test when it does not come, so that no test sleeps.
package browsertest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/homing-cli/homing/internal/testtools"
)

// patience is how long a page may take to show what a test waits for. On an idle machine it takes milliseconds.
const patience = 30 * time.Second

// life is the longest that a Chromium runs: one that hangs fails its test and not the whole package.
const life = 5 * time.Minute

// Browser is one window of a headless Chromium with cookies of its own. It is for one test's goroutine.
type Browser struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	violations []string // of a content security policy, as Chromium words them
}

// Options are where a Chromium runs. The zero value is this machine.
type Options struct {
	// Hosts are Chromium's rules for names and addresses, as --host-resolver-rules takes them; "" reaches loopback
	// and nothing else.
	Hosts string
	// Trust is a certificate to accept without checks; nil trusts none but the system's.
	Trust *x509.Certificate
	// Enter changes the command before it starts, for one that runs in a network namespace. It sets SysProcAttr too:
	// without it Chromium dies with the test's process where the system can do that.
	Enter func(cmd *exec.Cmd)
}

// New starts a Chromium with a fresh profile and no way to the internet, and stops it when the test ends. Without
// Chromium the test skips, or fails where CI=true.
func New(t testing.TB) *Browser {
	t.Helper()
	return NewAt(t, Options{})
}

// NewAt is New for a Chromium that runs elsewhere.
func NewAt(t testing.TB, o Options) *Browser {
	t.Helper()
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(testtools.Chromium(t)),
		chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.Flag("use-mock-keychain", true),
		chromedp.Flag("host-resolver-rules", cmp.Or(o.Hosts, "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, "+
			"EXCLUDE [::1]")),
	}
	if o.Enter != nil {
		opts = append(opts, chromedp.ModifyCmdFunc(o.Enter))
	}
	if o.Trust != nil {
		sum := sha256.Sum256(o.Trust.RawSubjectPublicKeyInfo)
		opts = append(opts, chromedp.Flag("ignore-certificate-errors-spki-list",
			base64.StdEncoding.EncodeToString(sum[:])))
	}
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium's sandbox refuses to run as root
	}
	root, end := context.WithTimeout(context.Background(), life)
	t.Cleanup(end)
	alloc, stop := chromedp.NewExecAllocator(root, opts...)
	t.Cleanup(stop)
	// chromedp may report an event that it does not know after the test's end, when t must not be used any more.
	return open(t, alloc, chromedp.WithErrorf(func(string, ...any) {}))
}

// Fresh opens a window without any cookies in the same Chromium, for a test or a subtest.
func (b *Browser) Fresh(t testing.TB) *Browser {
	t.Helper()
	return open(t, b.ctx, chromedp.WithNewBrowserContext())
}

func open(t testing.TB, parent context.Context, opts ...chromedp.ContextOption) *Browser {
	t.Helper()
	b := &Browser{t: t}
	ctx, cancel := chromedp.NewContext(parent, opts...)
	b.ctx = ctx
	t.Cleanup(cancel)
	t.Cleanup(b.lastLook)
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	_, err := chromedp.Call(ctx, log.Enable, struct{}{})
	b.must("listen to Chromium's log", err)
	return b
}

// hear keeps what Chromium says about violated content security policies.
func (b *Browser) hear(event any) {
	e, ok := event.(*log.EventEntryAdded)
	if !ok || e.Entry == nil || !strings.Contains(e.Entry.Text, "Content Security Policy") {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.violations = append(b.violations, e.Entry.Text)
}

// lastLook ends the test's use of the window: a violated content security policy fails the test, and a failed test
// leaves a picture and the text of the page it ended on.
func (b *Browser) lastLook() {
	b.t.Helper()
	b.mu.Lock()
	for _, v := range b.violations {
		b.t.Errorf("content security policy: %s", v)
	}
	b.mu.Unlock()
	if !b.t.Failed() || b.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	if where == "about:blank" {
		return // never opened anything: the failure was another window's
	}
	said, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	b.t.Logf("the browser ended at %s, which says:\n%s", withoutQuery(where), said)
	if png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		b.keep("failed.png", png)
	}
}

// withoutQuery drops the query of a URL, which may hold an authorization code.
func withoutQuery(u string) string {
	before, _, cut := strings.Cut(u, "?")
	if cut {
		before += "?…"
	}
	return before
}

// Open goes to url and waits until the page, or Chromium's own error page, is there.
func (b *Browser) Open(url string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Navigate(url))
	if err != nil && !strings.Contains(err.Error(), "net::ERR_") {
		b.must("open "+withoutQuery(url), err)
	}
}

// Reload loads the page again, or Chromium's own error page.
func (b *Browser) Reload() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Reload()); err != nil && !strings.Contains(err.Error(), "net::ERR_") {
		b.must("reload", err)
	}
}

// Address returns the text of the address bar. On Chromium's own error page that is the address that failed, where
// URL is the error page's.
func (b *Browser) Address() string {
	b.t.Helper()
	res, err := chromedp.Call(b.ctx, page.GetNavigationHistory, cdp.Empty{})
	b.must("read the address bar", err)
	if res.CurrentIndex < 0 || res.CurrentIndex >= int64(len(res.Entries)) {
		b.t.Fatalf("the window has no entry %d of %d", res.CurrentIndex, len(res.Entries))
	}
	return res.Entries[res.CurrentIndex].URL
}

// URL returns the address of the page.
func (b *Browser) URL() string {
	b.t.Helper()
	url, err := chromedp.Run(b.ctx, chromedp.Location())
	b.must("read the address", err)
	return url
}

// Text returns the page's text as it is shown.
func (b *Browser) Text() string {
	b.t.Helper()
	return eval[string](b, `document.body ? document.body.innerText : ""`)
}

// WaitText waits until the page's text contains want.
func (b *Browser) WaitText(want string) {
	b.t.Helper()
	b.until(fmt.Sprintf("the page to say %q", want), func() bool { return strings.Contains(b.Text(), want) })
}

// WaitHeading waits until a page whose main heading is want is there in full.
func (b *Browser) WaitHeading(want string) {
	b.t.Helper()
	const script = `document.readyState === "complete" && document.querySelector("h1") ? ` +
		`document.querySelector("h1").innerText : ""`
	b.until(fmt.Sprintf("the heading %q", want), func() bool { return eval[string](b, script) == want })
}

// Eval returns the value of a JavaScript expression on the page, decoded as T. The page's content security policy
// does not bind it.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	return eval[T](b, expression)
}

// eval is Eval. An expression that a navigation cut off is tried again.
func eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	var v T
	var err error
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		v, err = chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
		if err == nil || !cutOff(err) {
			break
		}
	}
	b.must("evaluate "+expression, err)
	return v
}

// cutOff reports whether a navigation took away the document that a command was about.
func cutOff(err error) bool {
	s := err.Error()
	for _, part := range []string{"context was destroyed", "Cannot find context", "navigated or closed",
		"Could not find node",
		"No node", "does not belong to the document", "Frame was detached", "Node is detached", "could not compute"} {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// until asks ok again and again until it says yes.
func (b *Browser) until(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			b.t.Fatalf("waited %v for %s", patience, what)
		case <-b.ctx.Done():
			b.t.Fatalf("wait for %s: %v", what, b.ctx.Err())
		}
	}
}

func (b *Browser) must(what string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// keep writes a file of test output to a folder named for the test below $HOMING_TEST_OUTPUT, or where that is not
// set to the test's artifact folder, which `go test -artifacts` keeps.
func (b *Browser) keep(name string, content []byte) {
	b.t.Helper()
	dir := b.t.ArtifactDir()
	if root := os.Getenv("HOMING_TEST_OUTPUT"); root != "" {
		dir = filepath.Join(root, unsafeName.ReplaceAllString(b.t.Name(), "_"))
	}
	err := cmp.Or(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), content, 0o644))
	b.must("keep "+name, err)
}

// NoJavaScript makes the window run no scripts of pages, from the next page on.
func (b *Browser) NoJavaScript() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
	b.must("turn JavaScript off", err)
}
