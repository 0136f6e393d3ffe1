// Package cli is everything a person sees of homing: the commands, their flags, and how an answer, a question or an
// error is worded. What a sign-in does is left to internal/signin and the other use cases; cli wires them together.
//
// The rule: only Env touches the outside. No command reads the environment, a standard stream or the clock by itself,
// and nothing but main exits, so a test can run the whole program by calling Main.
package cli

//go:generate env UPDATE_DOCS=1 go test -count=1 -run TestReference .

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/homing-cli/homing/internal/fault"
)

// Main runs homing with env and returns its exit code (docs/errors.md). The first Ctrl-C cancels the command, which
// cleans up and ends with 130; a second one kills the process. A terminal that is closed is a Ctrl-C, except under nohup.
func Main(ctx context.Context, env Env) int {
	// SIGQUIT too: a terminal whose echo is off must be put right again. What is ignored stays so, here and in a command
	// that exec becomes: a shell's background job is not for Ctrl-C, one under nohup outlives its terminal.
	stops := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP}, signal.Ignored)
	ctx, stop := signal.NotifyContext(ctx, stops...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, env)
}

// run is Main without the signals; demo runs whole commands through it.
func run(ctx context.Context, env Env) (code int) {
	a := newApp(env)
	defer func() {
		if p := recover(); p != nil {
			if a.flags.debug {
				a.ui.debug("%s", debug.Stack())
			}
			code = a.ui.fail(fmt.Errorf("internal error: %v", p))
		}
	}()
	stdout := a.ui.out.(*answers)
	err := newRootCmd(a).ExecuteContext(ctx)
	if err == nil {
		err = stdout.lost
	}
	ended, isCommand := errors.AsType[*commandEnded](err)
	switch {
	case err == nil:
		return 0
	case isCommand:
		if ended.err != nil {
			a.ui.fail(ended.err)
		}
		return ended.code
	case ctx.Err() != nil || describe(err).Kind == fault.Interrupted:
		// Whatever broke while the person was leaving is of no interest: 130 is the only silent failure.
		a.ui.debug("stopped: %v", err)
		return fault.Interrupted.ExitCode()
	}
	return a.ui.fail(err)
}
