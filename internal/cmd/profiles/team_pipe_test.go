//go:build !windows

package profiles

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

// --from reads a pipe such as <(command). Ctrl-C ends the wait for a pipe that nobody writes to.
func TestReadTeamPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	a := teamReader(nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	ended := make(chan error, 1)
	go func() {
		_, _, err := readTeam(ctx, a, pipe)
		ended <- err
	}()
	select {
	case err := <-ended:
		if fault.KindOf(err) != fault.Interrupted {
			t.Errorf("stopped: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("still waiting")
	}
	written := make(chan error, 1)
	const want = "[profiles]\nregion = \"eu-west-1\"\n"
	pipe += "2" // a goroutine still waits for the first one
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { written <- os.WriteFile(pipe, []byte(want), 0o600) }()
	_, text, err := readTeam(t.Context(), a, pipe)
	if err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
