package flow

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

var dev = session.Session{Name: "dev", StartURL: "https://d-1.awsapps.com/start", Region: "eu-west-1"}

func TestMemory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "homing")
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	if w, err := Remembered(dir, "ssh", dev); w != nil || err != nil {
		t.Fatalf("before anything happened: %v, %v", w, err)
	}
	want := Worked{Flow: session.PKCE, Channel: "paste", Port: 23456, At: at}
	if err := Remember(dir, "ssh", dev, Worked{Flow: session.Device, Channel: "device", At: at}); err != nil {
		t.Fatal(err)
	}
	if err := Remember(dir, "ssh", dev, want); err != nil {
		t.Fatal(err)
	}
	if w, err := Remembered(dir, "ssh", dev); err != nil || w == nil || *w != want {
		t.Errorf("%+v, %v", w, err)
	}
	other, moved := dev, dev
	other.Name, moved.StartURL = "prod", "https://d-2.awsapps.com/start"
	for name, look := range map[string]struct {
		place string
		s     session.Session
	}{"another place": {"local", dev}, "another session": {"ssh", other}, "another portal": {"ssh", moved}} {
		if w, err := Remembered(dir, look.place, look.s); w != nil || err != nil {
			t.Errorf("%s: %v, %v", name, w, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, workedFile))
	if err != nil || strings.Contains(string(data), "awsapps") {
		t.Errorf("%s, %v", data, err)
	}
	if info, err := os.Stat(filepath.Join(dir, workedFile)); runtime.GOOS != "windows" &&
		(err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range maxPlaces + 3 {
		if err := Remember(dir, fmt.Sprint(i), dev, Worked{Flow: session.PKCE,
			Channel: session.Channel(strings.Repeat("x", 32)), At: start.Add(time.Duration(i))}); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for i := range maxPlaces + 3 {
		if w, _ := Remembered(dir, fmt.Sprint(i), dev); w != nil {
			kept++
		} else if i > 2 {
			t.Errorf("the young entry %d is gone", i)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, workedFile)); kept != maxPlaces || err != nil ||
		info.Size() > maxWorked/2 {
		t.Errorf("%d entries in %d bytes", kept, info.Size())
	}
}

func TestBrokenMemory(t *testing.T) {
	t.Parallel()
	k := key("ssh", dev)
	for _, text := range []string{
		"", "{", "null", "[]", `{"version":1}`, `{"version":1,"worked":null}`,
		`{"version":1,"worked":{"` + k + `":null}}`, `{"version":1,"worked":{"` + k + `":{"flow":"pigeon"}}}`,
		`{"version":1,"worked":{"` + k + `":{"flow":"pkce","port":70000}}}`, `{"version":1,"worked":{"` + k + `":{"flow":7}}}`,
		strings.Repeat(" ", maxWorked) + `{"version":1,"worked":{"` + k + `":{"flow":"pkce"}}}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, workedFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if w, err := Remembered(dir, "ssh", dev); w != nil || err != nil {
			t.Errorf("%.60q: %+v, %v", text, w, err)
		}
		if err := Remember(dir, "ssh", dev, Worked{Flow: session.Device}); err != nil {
			t.Errorf("%.60q: %v", text, err)
		}
		if w, err := Remembered(dir, "ssh", dev); w == nil || err != nil {
			t.Errorf("%.60q: afterwards %+v, %v", text, w, err)
		}
	}
}

// A file of a newer version is left alone and named.
func TestNewerMemory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), workedFile)
	text := `{"version":2,"worked":{"` + key("ssh", dev) + `":{"flow":"pkce"}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := Remembered(filepath.Dir(path), "ssh", dev)
	if again := Remember(filepath.Dir(path), "ssh", dev, Worked{Flow: session.Device}); w != nil ||
		fault.KindOf(err) != fault.Config ||
		fault.KindOf(again) != fault.Config ||
		!strings.Contains(again.Error(), path) {
		t.Error(w, err, again)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%s, %v", got, err)
	}
}

func TestMemoryThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, workedFile), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Remembered(dir, "ssh", dev); fault.KindOf(err) != fault.Config ||
		!strings.Contains(err.Error(), "it is a folder, not a file") {
		t.Error(err)
	}
	for _, dir := range []string{dir, file, filepath.Join(file, "below")} {
		if err := Remember(dir, "ssh", dev, Worked{Flow: session.PKCE}); fault.KindOf(err) != fault.Config {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if w, err := Remembered("", "ssh", dev); w != nil || err != nil {
		t.Errorf("no folder: %v, %v", w, err)
	}
	if err := Remember("", "ssh", dev, Worked{Flow: session.PKCE}); err != nil {
		t.Errorf("no folder: %v", err)
	}
}

// Of many who remember at once, each for its own session, none is forgotten.
func TestMemoryOfMany(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			if err := Remember(dir, fmt.Sprint(i), dev, Worked{Flow: session.PKCE, Port: i}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 16 {
		if w, err := Remembered(dir, fmt.Sprint(i), dev); err != nil || w == nil || w.Port != i {
			t.Errorf("%d: %+v, %v", i, w, err)
		}
	}
}
