package testtools

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// recorder stands in for a test that is told to end: Missing must stop it, so Skipf and Fatalf leave the goroutine.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Helper() {}
func (r *recorder) Skipf(f string, a ...any) {
	r.said = "skip: " + fmt.Sprintf(f, a...)
	runtime.Goexit()
}
func (r *recorder) Fatalf(f string, a ...any) {
	r.said = "fail: " + fmt.Sprintf(f, a...)
	runtime.Goexit()
}

func ended(f func(testing.TB)) string {
	r := &recorder{}
	done := make(chan struct{})
	go func() { defer close(done); f(r) }()
	<-done
	return r.said
}

func TestMissingToolSkipsByNameAndFailsInCI(t *testing.T) {
	tools := map[string]func(testing.TB){
		"AWS CLI":    func(t testing.TB) { AWSCLI(t) },
		"Python":     func(t testing.TB) { Python(t) },
		"JavaScript": func(t testing.TB) { Node(t) },
		"botocore":   func(t testing.TB) { BotocoreData(t) },
		"Chromium":   func(t testing.TB) { Chromium(t) },
	}
	t.Setenv("HOMING_TOOLS", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	for name, find := range tools {
		for ci, want := range map[string]string{"": "skip: ", "true": "fail: "} {
			t.Setenv("CI", ci)
			if said := ended(find); !strings.HasPrefix(said, want) || !strings.Contains(said, name) ||
				!strings.Contains(said, "make setup") {
				t.Errorf("CI=%q, %s missing: got %q, want %q naming it and make setup", ci, name, said, want)
			}
		}
	}
}

// TestUnexpectedToolSkips: a client that wants a toolchain of its own is expected only where make setup found one.
func TestUnexpectedToolSkips(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOMING_TOOLS", dir)
	t.Setenv("CI", "true")
	if err := os.WriteFile(filepath.Join(dir, "rust.unexpected"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := ended(func(t testing.TB) { RustClient(t) }); !strings.HasPrefix(said, "skip: ") ||
		!strings.Contains(said, "not expected") {
		t.Errorf("rust.unexpected: %q", said)
	}
	if said := ended(func(t testing.TB) { JavaClient(t) }); !strings.HasPrefix(said, "fail: ") {
		t.Errorf("java, without a mark of its own: %q", said)
	}
}

func TestDir(t *testing.T) {
	t.Setenv("HOMING_TOOLS", "/somewhere")
	if got := Dir(); got != "/somewhere" {
		t.Errorf("with HOMING_TOOLS: %q", got)
	}
	t.Setenv("HOMING_TOOLS", "")
	t.Setenv("XDG_CACHE_HOME", "/c")
	if got := Dir(); runtime.GOOS == "linux" && got != filepath.Join("/c", "homing-tools") {
		t.Errorf("without HOMING_TOOLS: %q", got)
	}
}
