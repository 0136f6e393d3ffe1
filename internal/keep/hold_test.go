package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// children are what the test binary can be as a process of its own, by the name in HOMING_TEST_CHILD.
var children = map[string]func() error{
	"idle": func() error { // does nothing until its input ends
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	},
}

func TestMain(m *testing.M) {
	child := children[os.Getenv("HOMING_TEST_CHILD")]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var (
	dev  = session.Session{Name: "dev"}
	prod = session.Session{Name: "prod"}
)

func take(t *testing.T, dir string) *Hold {
	t.Helper()
	h, err := Take(t.Context(), dir, "build7", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Release)
	return h
}

func TestOneHolds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "homing")
	watched := func(s session.Session) bool {
		t.Helper()
		watches, err := Watching(dir)
		if err != nil {
			t.Fatal(err)
		}
		return watches(s)
	}
	if watched(dev) {
		t.Error("watched without a keep")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking made a folder")
	}
	h := take(t, dir)
	if watched(dev) {
		t.Error("watched before the keep said so")
	}
	if _, err := h.Check([]session.Session{dev}); err != nil {
		t.Fatal(err)
	}
	if !watched(dev) || watched(prod) {
		t.Errorf("dev: %v, prod: %v; want only dev", watched(dev), watched(prod))
	}
	_, err := Take(t.Context(), dir, "build7", time.Now())
	var busy *Busy
	if !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() || busy.Holder.Host != "build7" {
		t.Errorf("a second keep: %v", err)
	}
	h.Release()
	if watched(dev) {
		t.Error("watched after the end")
	}
	take(t, dir)
}

// Looking whether a keep runs must not keep one from starting.
func TestLookingIsInNobodysWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	take(t, dir).Release() // the lock file is there
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	for range 4 {
		go func() {
			for ctx.Err() == nil {
				_, _, _ = Running(dir)
			}
			done <- struct{}{}
		}()
	}
	for range 20 {
		take(t, dir).Release()
	}
	cancel()
	for range 4 {
		<-done
	}
}

// The file of a keep that was killed may name a process that is somebody else by now.
func TestReusedNumber(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("nobody is signalled on Windows")
	}
	dir := t.TempDir()
	innocent := exec.CommandContext(t.Context(), os.Args[0])
	innocent.Env = append(os.Environ(), "HOMING_TEST_CHILD=idle")
	in, err := innocent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := innocent.Start(); err != nil {
		t.Fatal(err)
	}
	stale := Holder{
		ID:      "OLD",
		PID:     innocent.Process.Pid,
		Start:   "another boot:1",
		Host:    "build7",
		Watched: []string{"dev"},
	}
	describe := func(h Holder) {
		data, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(infoPath(dir), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	// Nobody holds the lock: it does not run, whatever the number says, and another can.
	describe(stale)
	if _, running, err := Stop(t.Context(), dir); running || err != nil {
		t.Errorf("stopped something: %v, %v", running, err)
	}
	h := take(t, dir)

	// The lock is held, but by a process that has the number elsewhere (another container): asked, not signalled.
	stale.ID = h.ID()
	describe(stale)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, running, err := Stop(ctx, dir)
	if !running || fault.KindOf(err) != fault.TimedOut {
		t.Errorf("running %v, error %v; want that it was asked in vain", running, err)
	}
	if _, err := h.Check(nil); !errors.Is(err, ErrStopped) {
		t.Errorf("it was not asked: %v", err)
	}

	// It lives: it ends as it should once its input does.
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := innocent.Wait(); err != nil {
		t.Errorf("the process of that number: %v", err)
	}
}

// A request to end is for one run of keep: the next one does not find it.
func TestStopIsForOneRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := take(t, dir)
	if err := write(stopPath(dir), []byte("SOMEBODY ELSE\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Check(nil); err != nil {
		t.Errorf("a request for another run: %v", err)
	}
	h.Release()
	if err := write(stopPath(dir), []byte(h.ID()+"\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := take(t, dir).Check(nil); err != nil {
		t.Errorf("a request for the run before: %v", err)
	}
}

// Whoever empties the state folder does not make two keeps of one.
func TestLockFileRemoved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "homing")
	h := take(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Skip("an open file cannot be removed here")
	}
	if _, err := h.Check([]session.Session{dev}); err != nil {
		t.Fatal(err)
	}
	if watches, err := Watching(dir); err != nil || !watches(dev) {
		t.Errorf("not watched after another look (%v)", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	take(t, dir)
	var busy *Busy
	if _, err := h.Check(nil); !errors.As(err, &busy) {
		t.Errorf("two keeps: %v", err)
	}
}

func TestProcessStart(t *testing.T) {
	t.Parallel()
	if processStart(0) != "" || processStart(-1) != "" {
		t.Error("no process has a start")
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("when a process started is not known on " + runtime.GOOS)
	}
	own := processStart(os.Getpid())
	if own == "" || own != processStart(os.Getpid()) || own == processStart(1) {
		t.Errorf("own start %q, that of process 1 %q", own, processStart(1))
	}
}

// A disk that is full does not end a keep that runs.
func TestCannotDescribe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := take(t, dir)
	if err := os.Remove(infoPath(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(infoPath(dir), "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if again, err := h.Check([]session.Session{dev}); err != nil || !again {
		t.Fatalf("again %v, error %v; want that it is tried again, as no change may tell", again, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if err := os.RemoveAll(infoPath(dir)); err != nil {
		t.Fatal(err)
	}
	if again, err := h.Check([]session.Session{dev}); err != nil || again {
		t.Fatalf("again %v, error %v", again, err)
	}
	if watches, err := Watching(dir); err != nil || !watches(dev) {
		t.Errorf("not described once there was room (%v)", err)
	}
}
