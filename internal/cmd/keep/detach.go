package keep

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

const (
	// detachTimeout bounds how long a new keep may take to read the config and take the lock.
	detachTimeout = 20 * time.Second
	detachPoll    = 20 * time.Millisecond
)

// detachedJSON is the answer of keep --detach --json. Its names are stable.
type detachedJSON struct {
	PID     int      `json:"pid"`
	Host    string   `json:"host"`
	Since   string   `json:"since"`
	Already bool     `json:"already"` // it was running before this command
	Watched []string `json:"watched"`
	Log     string   `json:"log"`
}

func (o *options) detachedJSON(h keep.Holder, already bool) detachedJSON {
	d := detachedJSON{
		PID:     h.PID,
		Host:    h.Host,
		Since:   h.Since.Format(time.RFC3339),
		Already: already,
		Watched: []string{},
	}
	d.Watched = append(d.Watched, h.Watched...)
	if dir, err := o.app.StateDir(); err == nil {
		d.Log = logPath(dir)
	}
	return d
}

func logPath(stateDir string) string { return filepath.Join(stateDir, "keep.log") }

// runDetach starts homing keep in the background and waits until it is ready.
func (o *options) runDetach(ctx context.Context) error {
	a := o.app
	dir, err := o.prepare()
	if err != nil {
		return err
	}
	if h, running, err := o.running(ctx, dir); err != nil {
		return err
	} else if running {
		return o.reportRunning(h)
	}
	pid, ended, err := o.start(dir)
	if err != nil {
		return &fault.Error{
			Kind: fault.Config, Msg: "cannot start keep in the background: " + err.Error(), Err: err,
			Remedy: fault.Preface{Words: "run it in another terminal:", Then: fault.Run{"homing", "keep"}},
		}
	}
	limit := time.NewTimer(detachTimeout)
	defer limit.Stop()
	for exited := false; ; {
		h, running, err := keep.Running(dir)
		switch {
		case err != nil:
			return err
		case running && h.PID == pid && len(o.unwatched(h)) == 0:
			if a.UI.JSON {
				return a.UI.Document(o.detachedJSON(h, false))
			}
			a.UI.Answer("Keep runs in the background: %s.\n", h.String())
			a.UI.Say("It logs to %s. To stop it, run: homing keep --stop\n", logPath(dir))
			return nil
		case running && exited && h.PID != 0: // another keep took the lock first
			return o.reportRunning(h)
		case exited && !running:
			return &fault.Error{
				Kind:   fault.Config,
				Msg:    "keep exited immediately",
				Remedy: fault.Preface{Words: "see why:", Then: fault.Run{"cat", logPath(dir)}},
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			exited, ended = true, nil
		case <-limit.C:
			return &fault.Error{
				Kind:   fault.TimedOut,
				Msg:    "keep was started but did not report that it is ready",
				Remedy: fault.Preface{Words: "see why:", Then: fault.Run{"cat", logPath(dir)}},
			}
		case <-time.After(detachPoll):
		}
	}
}

// running returns the holder of a running keep. It waits up to a second for the keep to record what it watches.
func (o *options) running(ctx context.Context, dir string) (h keep.Holder, running bool, err error) {
	for range int(time.Second / detachPoll) {
		h, running, err = keep.Running(dir)
		if err != nil || !running || h.Watched != nil || len(o.kept) == 0 || ctx.Err() != nil {
			break
		}
		time.Sleep(detachPoll)
	}
	return h, running, err
}

// start starts homing keep with the flags of this run. It renames the log of an earlier run to end in .old. ended is
// closed when the process ends.
func (o *options) start(dir string) (pid int, ended <-chan struct{}, err error) {
	if o.app.Env.Program == "" {
		return 0, nil, errors.New("the path of the homing program is not known")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, nil, err
	}
	if err := files.Rename(logPath(dir), logPath(dir)+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, nil, err
	}
	log, err := os.OpenFile(logPath(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own handle
	cmd := exec.Command(o.app.Env.Program, o.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = background()
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // the log shows how it ended
	}()
	return cmd.Process.Pid, done, nil
}

// arguments returns the arguments of this run without --detach.
func (o *options) arguments() []string {
	args := []string{"keep"}
	flags := o.app.Flags
	if flags.Profile != "" {
		args = append(args, "--profile="+flags.Profile)
	}
	if flags.Debug {
		args = append(args, "--debug")
	}
	if flags.JSON {
		args = append(args, "--json")
	}
	if o.onEnd != "" {
		args = append(args, "--on-end="+o.onEnd)
	}
	return append(append(args, "--"), o.names...)
}

// runOnEnd starts the command of --on-end. It does not wait, since other sessions need attention. The output of the
// command goes to stderr.
func (o *options) runOnEnd(s session.Session, cause ui.Failure) {
	a := o.app
	cmd := shellCommand(o.onEnd)
	cmd.Env = append(cmd.Environ(), "HOMING_SESSION="+ui.Clean(s.Label()), "HOMING_MESSAGE="+ui.Clean(cause.Msg),
		"HOMING_HINT="+ui.Clean(cause.Hint))
	cmd.Stdout, cmd.Stderr = a.Env.Stderr, a.Env.Stderr
	if err := cmd.Start(); err != nil {
		a.UI.Say("warning: the command of --on-end cannot be started: %s\n", err)
		return
	}
	go func() {
		if err := cmd.Wait(); err != nil {
			a.UI.Say("warning: the command of --on-end failed: %s\n", err)
		}
	}()
}
