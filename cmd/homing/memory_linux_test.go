package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mostMemory is what credentials from the cache may have in memory at its peak, in KiB, code included.
const mostMemory = 12_000_000 / 1024

// TestMemory holds the program where it writes its answer, to a pipe that is full, and asks the system for its peak.
func TestMemory(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if err := w.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	filled, err := w.Write(make([]byte, 4<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the pipe takes %d bytes: %v", filled, err)
	}
	cmd := exec.CommandContext(t.Context(), program, "credentials", "--profile", "dev")
	cmd.Env, cmd.Stdout = home(t), w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := 0
	for before := -1; peak != before || peak == 0; { // until it stands still
		before = peak
		time.Sleep(100 * time.Millisecond)
		if peak, err = highWater(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(r)
	if err != nil || cmd.Wait() != nil || !bytes.Contains(answer[filled:], []byte("ASIAFROMCACHE")) {
		t.Errorf("answer: %s, %v", answer[filled:], err)
	}
	t.Logf("%d KiB", peak)
	if peak > mostMemory {
		t.Errorf("credentials from the cache has %d KiB in memory, at most %d are wanted", peak, mostMemory)
	}
}

// highWater is the most memory that a process has had, in KiB.
func highWater(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
		}
	}
	return 0, errors.New("the system does not tell")
}
