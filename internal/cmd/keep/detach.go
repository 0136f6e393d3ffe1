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
	// detachWait is how long a keep may take to begin: reading the config and taking the lock.
	detachWait = 20 * time.Second
	detachPoll = 20 * time.Millisecond
)

// detachedDocument is what keep --detach --json prints. The names stay as they are.
type detachedDocument struct {
	PID     int      `json:"pid"`
	Host    string   `json:"host"`
	Since   string   `json:"since"`
	Already bool     `json:"already"` // it ran before
	Watched []string `json:"watched"`
	Log     string   `json:"log"`
}

func (o *options) detached(h keep.Holder, already bool) detachedDocument {
	d := detachedDocument{PID: h.PID, Host: h.Host, Since: h.Since.Format(time.RFC3339), Already: already, Watched: []string{}}
	d.Watched = append(d.Watched, h.Watched...)
	if dir, err := o.App.StateDir(); err == nil {
		d.Log = keepLog(dir)
	}
	return d
}

func keepLog(stateDir string) string { return filepath.Join(stateDir, "keep.log") }

// runDetach starts this program again, in a session of its own, and waits until it keeps.
func (o *options) runDetach(ctx context.Context) error {
	a := o.App
	dir, err := o.prepare()
	if err != nil {
		return err
	}
	if h, running, err := o.running(ctx, dir); err != nil {
		return err
	} else if running {
		return o.covered(h)
	}
	pid, ended, err := o.start(dir)
	if err != nil {
		return &fault.Error{
			Kind: fault.Config, Msg: "cannot start keep in the background: " + err.Error(), Err: err,
			Remedy: fault.Preface{Words: "run it in a terminal of its own:", Then: fault.Run{"homing", "keep"}},
		}
	}
	limit := time.NewTimer(detachWait)
	defer limit.Stop()
	for gone := false; ; {
		h, running, err := keep.Running(dir)
		switch {
		case err != nil:
			return err
		case running && h.PID == pid && len(o.unwatched(h)) == 0:
			if a.UI.JSON {
				return a.UI.Document(o.detached(h, false))
			}
			a.UI.Answer("Keep runs in the background: %s.\n", h.String())
			a.UI.Say("What it does is written to %s. To end it, run: homing keep --stop\n", keepLog(dir))
			return nil
		case running && gone && h.PID != 0: // another one was faster
			return o.covered(h)
		case gone && !running:
			return &fault.Error{Kind: fault.Config, Msg: "keep ended at once", Remedy: fault.Preface{Words: "see why:", Then: fault.Run{"cat", keepLog(dir)}}}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			gone, ended = true, nil
		case <-limit.C:
			return &fault.Error{Kind: fault.TimedOut, Msg: "keep was started and does not say that it runs", Remedy: fault.Preface{Words: "see why:", Then: fault.Run{"cat", keepLog(dir)}}}
		case <-time.After(detachPoll):
		}
	}
}

// running returns the keep that runs, once it has said what it watches.
func (o *options) running(ctx context.Context, dir string) (h keep.Holder, running bool, err error) {
	for range int(time.Second / detachPoll) {
		h, running, err = keep.Running(dir)
		if err != nil || !running || h.Watched != nil || len(o.last) == 0 || ctx.Err() != nil {
			break
		}
		time.Sleep(detachPoll)
	}
	return h, running, err
}

// start starts homing keep with the flags of this run. What an earlier one wrote is kept beside the log.
func (o *options) start(dir string) (pid int, ended <-chan struct{}, err error) {
	if o.App.Env.Program == "" {
		return 0, nil, errors.New("where this program is stored is not known")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, nil, err
	}
	if err := files.Rename(keepLog(dir), keepLog(dir)+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, nil, err
	}
	log, err := os.OpenFile(keepLog(dir), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = log.Close() }() // the other process has its own
	cmd := exec.Command(o.App.Env.Program, o.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = background()
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is in the log
	}()
	return cmd.Process.Pid, done, nil
}

// arguments are those of this run without --detach.
func (o *options) arguments() []string {
	args := []string{"keep"}
	flags := o.App.Flags
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

// runOnEnd runs the command of --on-end, and does not wait for it: other sessions go on. What it prints goes to stderr.
func (o *options) runOnEnd(s session.Session, cause ui.Failure) {
	a := o.App
	cmd := shellCommand(o.onEnd)
	cmd.Env = append(cmd.Environ(), "HOMING_SESSION="+ui.Clean(s.Label()), "HOMING_MESSAGE="+ui.Clean(cause.Msg), "HOMING_HINT="+ui.Clean(cause.Hint))
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
