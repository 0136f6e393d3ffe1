//go:build !windows

package browser

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestOpenerHasNoTerminalEvenWhenWeHave runs TestOpenerHasNoTerminalAndNoShell in a process that has a terminal, as a
// person's homing has: the opener must not find its way to it.
func TestOpenerHasNoTerminalEvenWhenWeHave(t *testing.T) {
	const name = "TestOpenerHasNoTerminalAndNoShell"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+name+"$", "-test.v")
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	out, _ := io.ReadAll(tty) // ends with EIO when the other side has closed
	if err := cmd.Wait(); err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
		t.Errorf("%v:\n%s", err, out)
	}
}
