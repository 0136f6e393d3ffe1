// Package cli is the root of the command line: it puts the commands together, runs the one that is asked for, and
// turns its error into an exit code. Only Main and Start know about signals.
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

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/cmd/credentials"
	"github.com/homing-cli/homing/internal/cmd/exec"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/ui"
)

// Main runs homing with env and returns its exit code (docs/errors.md). The first Ctrl-C cancels the command, which
// cleans up and ends with 130; a second one kills the process. A terminal that is closed is a Ctrl-C, except under
// nohup.
func Main(ctx context.Context, env app.Env) int { return signals(ctx, app.New(env)) }

func signals(ctx context.Context, a *app.App) int {
	// SIGQUIT too: a terminal whose echo is off must be put right again. What is ignored stays so, here and in a
	// command that exec becomes: a shell's background job is not for Ctrl-C, one under nohup outlives its terminal.
	stops := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP},
		signal.Ignored)
	ctx, stop := signal.NotifyContext(ctx, stops...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, a)
}

// run is Main without the signals. demo runs whole commands through it.
func run(ctx context.Context, env app.Env) int { return execute(ctx, app.New(env)) }

// execute runs the command that the arguments name, and words its error.
func execute(ctx context.Context, a *app.App) (code int) {
	defer func() {
		if p := recover(); p != nil {
			if a.Flags.Debug {
				a.UI.Debug("%s", debug.Stack())
			}
			code = a.UI.Fail(fmt.Errorf("internal error: %v", p))
		}
	}()
	stdout := a.UI.Out.(*ui.Answers)
	err := newRootCmd(a).ExecuteContext(ctx)
	if err == nil {
		err = stdout.Lost
	}
	ended, isCommand := errors.AsType[*exec.CommandEnded](err)
	switch {
	case err == nil:
		return 0
	case isCommand:
		if ended.Err != nil {
			a.UI.Fail(ended.Err)
		}
		return ended.Code
	case ctx.Err() != nil || a.UI.Describe(err).Kind == fault.Interrupted:
		// What broke while the person was leaving does not matter: 130 is the only silent failure.
		a.UI.Debug("stopped: %v", err)
		return fault.Interrupted.ExitCode()
	}
	return a.UI.Fail(err)
}

// Start is Main in the environment of this process. Terraform, kubectl and the SDKs call credentials again and again,
// so the quick path comes first. If it cannot answer, the command starts with what the quick path has read.
func Start() int {
	return start(app.StandardEnv(), app.OSEnv)
}

func start(quick app.Env, whole func() app.Env) int {
	a := app.New(quick)
	if code, done := credentials.Quick(a); done {
		return code
	}
	return signals(context.Background(), app.Resume(whole(), a))
}
