package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Chord presses one key with modifiers held, such as Ctrl+`.
func (b *Browser) Chord(key string, held ...chromedp.Modifier) {
	b.t.Helper()
	b.must("press a chord", chromedp.Do(b.ctx, chromedp.KeyEvent(key, chromedp.KeyModifiers(held...))))
}

// Type presses keys as Keys does, for pages that handle a key when it goes down and then want no character of it, as
// a terminal in a page does. Keys sends the character all the same, and such a page has it twice.
func (b *Browser) Type(text string) {
	b.t.Helper()
	for _, r := range text {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, event)
			b.must("type", err)
		}
	}
}

// Copy puts text on the clipboard, which all pages of this Chromium share, as if it had been copied somewhere; and
// lets pages of this window, when they ask, read it. Needs a page of a secure origin.
func (b *Browser) Copy(text string) {
	b.t.Helper()
	var window cdp.BrowserContextID // "" is the one that Chromium starts with
	if c := chromedp.FromContext(b.ctx); c != nil {
		window = c.BrowserContextID
	}
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, BrowserContextID: window,
		})
		b.must("allow "+name, err)
	}
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](fmt.Sprintf("navigator.clipboard.writeText(%q)", text), chromedp.EvalAwaitPromise))
	b.must("copy", err)
}

// Tab waits until a page whose URL starts with prefix has been opened beside this one, and returns it for the test t.
// One that is there already counts as well, so give what no earlier page began with.
func (b *Browser) Tab(t testing.TB, prefix string) *Browser {
	t.Helper()
	var id target.ID
	b.until("a tab at "+withoutQuery(prefix), func() bool {
		targets, err := chromedp.Targets(b.ctx)
		b.must("list the tabs", err)
		for _, one := range targets {
			if one.Type == "page" && strings.HasPrefix(one.URL, prefix) {
				id = one.TargetID
			}
		}
		return id != ""
	})
	return open(t, b.ctx, chromedp.WithTargetID(id))
}

// Click clicks the element with this role and name by mouse, and leaves it to the caller what to wait for then.
func (b *Browser) Click(role, name string) {
	b.t.Helper()
	b.click(role, name)
}

// Front makes this tab the one that a person looks at, as pages ask before they read the clipboard.
func (b *Browser) Front() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.BringToFront, cdp.Empty{})
	b.must("bring the tab to the front", err)
}

// WaitAddress waits until the address bar holds an address that starts with prefix, and returns it.
func (b *Browser) WaitAddress(prefix string) string {
	b.t.Helper()
	b.until("an address at "+withoutQuery(prefix), func() bool { return strings.HasPrefix(b.Address(), prefix) })
	return b.Address()
}
