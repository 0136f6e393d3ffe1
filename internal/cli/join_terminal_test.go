//go:build !windows

package cli

import (
	"context"
	"strings"
	"syscall"
	"testing"
)

const (
	joining   = "is waiting: joining it."
	noAnswer  = "waits but does not answer"
	successes = "Successfully signed in to session \"dev\""
)

// Keys and a paste reach the first login from the terminal of the second.
func TestJoinedTerminal(t *testing.T) {
	p, vars := overSSH(t)
	first := open(t, vars, "login", "--no-browser")
	first.expect("can be done here.\r\n")
	second := open(t, vars, "login", "--no-browser")
	second.expect(joining)
	second.expect("Then enter the code:")
	second.answer("can be done here.\r\n", "?")
	second.answer("Keys: ", "p")
	for _, x := range []*terminal{first, second} {
		x.expect("/authorize?response_type=code")
		x.expect("Waiting up to")
	}
	second.send("d") // shown again, to both
	first.expect("Then enter the code:")
	second.expect("Then enter the code:")
	second.send(pasteBegin + "http://127.0.0.1:1/oauth/callback?code=x&state=of-another" + pasteEnd)
	second.expect("the address of another sign-in")
	failed := p.ended(t)
	second.send(pasteBegin + failed + pasteEnd)
	for _, x := range []*terminal{first, second} {
		x.expect(successes)
		x.end(0)
		x.hides(failed)
	}
}

// A stopped first login holds up no other: neither one that comes later, with --force or without, nor one that has
// joined.
func TestStoppedLogin(t *testing.T) {
	p, vars := overSSH(t)
	first := open(t, vars, "login", "--no-browser")
	first.expect("can be done here.\r\n")
	joined := open(t, vars, "login", "--no-browser")
	joined.expect(joining)
	joined.expect("can be done here.\r\n")
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.cmd.Process.Kill(); _ = first.cmd.Wait() })

	by := open(t, vars, "login", "--no-browser", "--force")
	by.expect(noAnswer)
	later := open(t, vars, "login", "--no-browser")
	later.expect(noAnswer)
	ctx, cancel := context.WithTimeout(t.Context(), scriptDeadline)
	defer cancel()
	for _, x := range []*terminal{by, later} {
		x.expect("Then enter the code:")
		x.expect("can be done here.\r\n")
	}
	for range 3 { // one of them is of the first
		if err := p.emu.Approve(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []*terminal{by, later} {
		x.expect(successes)
		x.end(0)
	}
	joined.expect("The login that was joined is gone.")
	joined.expect(noAnswer)
	joined.expect("Already signed in")
	if screen := joined.end(0); strings.Contains(screen, "Successfully") {
		t.Errorf("a person was asked again:\n%s", screen)
	}
}
