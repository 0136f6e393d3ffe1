package exec

import (
	"cmp"
	"os"
	"os/exec"
	"os/signal"
)

// shell is what exec runs without a command.
func shell(getenv func(string) string) string { return cmp.Or(getenv("COMSPEC"), "cmd.exe") }

// findProgram looks for a command in PATH, by PATHEXT.
func findProgram(_ func(string) string, name string) (string, error) {
	path, err := exec.LookPath(name)
	return path, err
}

// become runs the command and ends as it does: no process takes another's place here.
func (c *childCommand) become() error {
	e, err := c.runBeside(func(int) {})
	if err != nil {
		return err
	}
	return e.same()
}

// runBeside runs the command while this process stays, and returns as it ended. Ctrl-C reaches both by themselves.
// started is called once it runs.
func (c *childCommand) runBeside(started func(pid int)) (ending, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	cmd := c.process()
	if err := cmd.Start(); err != nil {
		return ending{}, cannotRun(c.argv[0], err)
	}
	started(cmd.Process.Pid)
	_ = cmd.Wait() // the state says how it ended
	return ending{cmd.ProcessState.ExitCode()}, nil
}

// ending is how a command ended.
type ending struct{ code int }

// same returns the error that ends this process as the command ended.
func (e ending) same() error {
	if e.code == 0 {
		return nil
	}
	return &CommandEnded{Code: e.code}
}
