//go:build !windows

package cli

import (
	"strings"
	"syscall"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// counting is a command that counts Ctrl-C, until a line comes.
const counting = `n=0; trap 'n=$((n+1)); echo "INT $n."' INT; echo "ready."; read x || read x; echo "$x after $n."`

// Ctrl-C reaches the command once, not a second time through homing: for Terraform, two mean to give everything up.
func TestExecTerminalInterrupt(t *testing.T) {
	t.Parallel()
	_, vars := withProfiles(t)
	for _, renew := range []bool{false, true} {
		args := []string{"exec", "--profile", "dev", "--", "sh", "-c", counting}
		if renew {
			args = append([]string{"exec", "--renew"}, args[1:]...)
		}
		x := open(t, vars, args...)
		x.expect("ready.")
		x.send("\x03")
		x.expect("INT 1.")
		x.send("go\n")
		x.expect("go after 1.")
		x.end(0)

		x = open(t, vars, append(args[:len(args)-1], "echo ready.; exec sleep 600")...)
		x.expect("ready.")
		x.send("\x03")
		<-x.done
		_ = x.cmd.Wait()
		if status := x.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() ||
			status.Signal() != syscall.SIGINT {
			t.Errorf("renew %v: ended with %v, want the signal of Ctrl-C", renew, x.cmd.ProcessState)
		}

		// TERM is no key's: docs/exec.md tells scripts to use it
		x = open(t, vars, append(args[:len(args)-1], "echo ready.; exec sleep 600")...)
		x.expect("ready.")
		if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-x.done
		_ = x.cmd.Wait()
		if status := x.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() ||
			status.Signal() != syscall.SIGTERM {
			t.Errorf("renew %v: ended with %v, want SIGTERM", renew, x.cmd.ProcessState)
		}
	}
}

// Ctrl-Z stops the job for the shell it was started from, fg continues it, and the command can still ask; in a
// shell of its own (no command) everything is as in any shell.
func TestExecTerminalJobs(t *testing.T) {
	t.Parallel()
	bash := testtools.Program(t, "bash", "bash")
	p, vars := withProfiles(t)
	vars["PS1"], vars["SELF"] = "$HOMING_PROFILE> ", self(t)
	x := openProgram(t, vars, bash, "--norc", "--noprofile", "-i")
	for _, renew := range []string{"", "--renew"} {
		x.answer(
			"> ",
			"$SELF exec "+renew+` --profile dev -- sh -c 'echo "rea""dy."; while read x; do echo "got $x."; done; echo "over."'`+"\r",
		)
		x.expect("ready.")
		x.send("one\n")
		x.expect("got one.")
		x.send("\x1a")
		x.expect("Stopped")
		x.answer("> ", "echo shell$((40+2))\r")
		x.expect("shell42")
		x.answer("> ", "fg\r")
		x.send("two\n")
		x.expect("got two.")
		x.send("\x1a")
		x.expect("Stopped")
		x.answer("> ", "fg\r")
		x.send("three\n")
		x.expect("got three.")
		x.send("\x04")
		x.expect("over.")
	}
	x.answer("> ", "$SELF exec --renew --profile dev -- env "+envAsk+"=1 $SELF\r")
	x.send("\n")
	x.expect("200 ASIA")
	x.send("\x1a")
	x.expect("Stopped")
	x.answer("> ", "fg\r")
	x.send("\n")
	x.expect("200 ASIA")
	x.send("\x04")
	// in a pipeline, what stands behind homing still has the terminal
	x.answer("> ",
		`$SELF exec --renew --profile dev -- echo left | sh -c 'read a; read b </dev/tty; echo "$a and $b."'`+"\r")
	x.send("right\n")
	x.expect("left and right.")
	// a shell inside
	x.answer("> ", "$SELF exec --renew --profile dev bash --norc --noprofile -i\r")
	x.answer("dev> ", "sh -c 'echo in\"\"side.; read x; echo $x'\r")
	x.expect("inside.")
	x.send("\x1a")
	x.expect("Stopped")
	x.answer("dev> ", "fg\r")
	x.send("again\n")
	x.expect("again")
	x.answer("dev> ", "suspend\r")
	x.expect("Stopped")
	x.answer("> ", "fg\r")
	x.send("\n")
	x.answer("dev> ", "exit 5\r")
	x.answer("> ", "echo code $?.\r")
	x.expect("code 5.")
	x.answer("> ", "exit\r")
	if screen := x.end(0); strings.Contains(screen, "panic") {
		t.Error(screen)
	}
	if dirs := p.copies(t); len(dirs) != 0 {
		t.Errorf("left: %q", dirs)
	}
}
