//go:build unix

package interop

import (
	"regexp"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/browsertest"
)

// TestCodeServer signs in by typing into the terminal of a real VS Code, in a browser that is on another machine than
// the terminal. What the editor makes of the pages, addresses and keys of a sign-in is the editor's own;
// codeserver/NOTES.md has what was seen.
//
// It is not parallel: an editor and a browser need the processors for themselves.
func TestCodeServer(t *testing.T) {
	t.Run("device code", func(t *testing.T) {
		b := newWorkbench(t)
		b.surroundings()
		b.run("homing login")
		b.expect("This is code-server: the editor runs in a browser")
		b.asked("/device?user_code=")
		page := b.open()
		page.TypeCode("")
		page.SignIn("ada")
		page.Allow()
		page.WaitHeading("Request approved")
		b.finished("device_code")
	})
	t.Run("swapped address", func(t *testing.T) {
		b := newWorkbench(t)
		page, failed := b.refused()

		// The person does what the terminal says.
		b.browser.Front()
		b.expect("In the address bar of the page that failed to load, replace http://127.0.0.1:")
		said := regexp.MustCompile(`replace(http://127\.0\.0\.1:\d+)by(https://[^,]+),`).FindStringSubmatch(squeeze(b.screen()))
		if said == nil || !strings.HasPrefix(failed, said[1]+"/") || !strings.HasPrefix(said[2], b.ide+"/proxy/") {
			t.Fatalf("the terminal says to replace by %q what is no part of %q", said, failed)
		}
		page.Front()
		page.Open(said[2] + strings.TrimPrefix(failed, said[1]))
		page.WaitHeading("You are signed in")
		if address := page.Address(); strings.Contains(address, "code=") {
			t.Error("the address bar still holds the code")
		}
		b.finished("authorization_code")
	})
	t.Run("pasted address", func(t *testing.T) {
		b := newWorkbench(t)
		_, failed := b.refused()
		code := regexp.MustCompile(`[?&]code=([^&]+)`).FindStringSubmatch(failed)
		if code == nil {
			t.Fatal("the address that failed holds no code")
		}
		b.paste(failed)
		b.finished("authorization_code")
		if strings.Contains(squeeze(b.screen()), code[1]) {
			t.Errorf("the terminal shows what was pasted:\n%s", b.screen())
		}
	})
}

// refused signs in by PKCE up to where everybody gets stuck: the browser is sent to its own machine, where nothing
// listens. It returns that tab and the address that failed.
func (b *workbench) refused() (page *browsertest.Browser, failed string) {
	b.Helper()
	b.run("homing login --flow pkce")
	b.expect("with a browser redirect (PKCE), as --flow pkce asks. This is code-server")
	b.expect(b.asked("/authorize?")) // whole, also in the terminal
	page = b.open()
	page.SignIn("ada")
	page.Allow()
	failed = page.WaitAddress("http://127.0.0.1:")
	page.WaitText("refused to connect")
	return page, failed
}
