package exec

import (
	"cmp"
	"os"
	"os/exec"
	"os/signal"
)

// shell returns the program that exec runs if no command is given.
func shell(getenv func(string) string) string { return cmp.Or(getenv("COMSPEC"), "cmd.exe") }

// findProgram finds a command in PATH, with the extensions of PATHEXT.
func findProgram(_ func(string) string, name string) (string, error) {
	path, err := exec.LookPath(name)
	return path, err
}

// replaceProcess runs the command and ends as it does: Windows cannot replace a process.
func (c *childCommand) replaceProcess() error {
	e, err := c.run(func(int) {})
	if err != nil {
		return err
	}
	return e.repeat()
}

// run runs the command as a child and returns how it ended. It calls started once the command runs. Ctrl-C reaches
// both processes without forwarding.
func (c *childCommand) run(started func(pid int)) (ending, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	cmd := c.process()
	if err := cmd.Start(); err != nil {
		return ending{}, cannotRun(c.argv[0], err)
	}
	started(cmd.Process.Pid)
	_ = cmd.Wait() // ProcessState has the exit code
	return ending{cmd.ProcessState.ExitCode()}, nil
}

// ending is how a command ended.
type ending struct{ code int }

// repeat returns the error that makes this process end as the command did.
func (e ending) repeat() error {
	if e.code == 0 {
		return nil
	}
	return &CommandEnded{Code: e.code}
}
