package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
	"golang.org/x/sys/unix"
)

// soon is how long a test waits for what happens at once.
const soon = 20 * time.Second

func newTestAlarm(t *testing.T) *alarm {
	t.Helper()
	system, done := newAlarm(t.Logf)
	t.Cleanup(done)
	a, ok := system.(*alarm)
	if !ok || a.timer == nil || a.watcher == nil {
		testtools.Missing(t, "timerfd or inotify, which this system refuses", "run the tests outside of that sandbox")
	}
	return a
}

func returns(t *testing.T, woken <-chan struct{}, why string) {
	t.Helper()
	select {
	case <-woken:
	case <-time.After(soon):
		t.Fatalf("sleeps on: %s", why)
	}
}

// The kernel's timer goes by the wall clock, to the absolute time, and is cancelled when the clock is set. The kernel
// says so itself (proc_pid_fdinfo(5)). To set the clock is not for a test: what comes then is in TestTimerTold.
func TestTimerAsSet(t *testing.T) {
	t.Parallel()
	a := newTestAlarm(t)
	if err := a.timer.set(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", a.timer.fd))
	if err != nil {
		testtools.Missing(t, "/proc/self/fdinfo", "mount /proc: "+err.Error())
	}
	info := string(data)
	for _, want := range []string{"clockid: 0\n", "settime flags: 03\n", "it_interval: (0, 0)\n", "it_value: (35"} {
		if !strings.Contains(info, want) {
			t.Errorf("want %q in:\n%s", want, info)
		}
	}
	if err := a.timer.set(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", a.timer.fd)); err != nil ||
		!strings.Contains(string(data), "it_value: (0, 0)") {
		t.Errorf("never is not never (%v):\n%s", err, data)
	}
	if err := a.timer.set(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Errorf("a token for ever: %v", err)
	}
}

func TestAlarmRings(t *testing.T) {
	t.Parallel()
	a := newTestAlarm(t)
	begin := time.Now()
	at := begin.Add(30 * time.Millisecond)
	for time.Now().Before(at) {
		a.Wait(t.Context(), at, nil)
	}
	if late := time.Since(at); late > soon {
		t.Errorf("%s late", late)
	}
	a.Wait(t.Context(), begin, nil) // overdue: at once
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		a.Wait(t.Context(), time.Time{}, []string{filepath.Join(t.TempDir(), "a.json")})
	}()
	returns(t, watched, "a file that may have been written before it was watched")

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Wait(ctx, time.Time{}, nil)
		for ctx.Err() == nil { // word of the alarm before
			a.Wait(ctx, time.Time{}, nil)
		}
	}()
	cancel()
	returns(t, done, "told to end")
}

// kernel is a timerfd of which a test says what reading it gives.
type kernel struct{ reads chan error }

func (k kernel) Read(b []byte) (int, error) {
	if err := <-k.reads; err != nil {
		return 0, &fs.PathError{Op: "read", Path: "timerfd", Err: err}
	}
	return len(b), nil
}

func (k kernel) Close() error { return nil }

// What the kernel says of a clock that was set: to who reads the timer, and to who sets it again meanwhile.
func TestTimerTold(t *testing.T) {
	t.Parallel()
	k := kernel{reads: make(chan error, 1)}
	var armed error
	flags := make(chan int, 1)
	tm := &timer{file: k, arm: func(_, f int, _, _ *unix.ItimerSpec) error {
		flags <- f
		return armed
	}}
	tm.start()
	a := &alarm{timer: tm, watcher: newTestAlarm(t).watcher, debug: t.Logf}
	hour := time.Now().Add(time.Hour)
	sleeps := func() <-chan struct{} {
		woken := make(chan struct{})
		go func() {
			defer close(woken)
			a.Wait(t.Context(), hour, nil)
		}()
		if f := <-flags; f != unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET {
			t.Errorf("flags %#x", f)
		}
		return woken
	}
	for _, err := range []error{unix.ECANCELED, nil, unix.ECANCELED} { // set, due, set again: the timer goes on
		woken := sleeps()
		k.reads <- err
		returns(t, woken, fmt.Sprint("the timer said ", err))
		if tm.lost() {
			t.Fatalf("lost after %v", err)
		}
	}
	armed = unix.ECANCELED
	returns(t, sleeps(), "the clock was set before it was armed")
	if tm.lost() {
		t.Error("lost when armed again")
	}
	armed = nil
	woken := sleeps()
	k.reads <- unix.EBADF
	returns(t, woken, "the timer is lost")
	if !tm.lost() {
		t.Error("keeps using a timer that cannot be read")
	}
	a.Wait(t.Context(), time.Now().Add(10*time.Millisecond), nil) // without it, the clock is compared
}

func TestAlarmHearsOfFiles(t *testing.T) {
	t.Parallel()
	put := func(path string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(time.Now().String()),
			0o600)); err != nil {
			t.Fatal(err)
		}
	}
	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		before func(home string)
		change func(home string)
	}{
		{"replaced", func(h string) { put(h + "/.aws/sso/cache/a.json") }, func(h string) {
			put(h + "/new")
			rename(h+"/new", h+"/.aws/sso/cache/a.json")
		}},
		{"written in place", func(h string) { put(h + "/.aws/sso/cache/a.json") }, func(h string) { put(h + "/.aws/sso/cache/a.json") }},
		{"removed", func(h string) { put(h + "/.aws/sso/cache/a.json") }, func(h string) { _ = os.Remove(h + "/.aws/sso/cache/a.json") }},
		{"made readable", func(h string) { put(h + "/.aws/sso/cache/a.json") }, func(h string) { _ = os.Chmod(h+"/.aws/sso/cache/a.json", 0o644) }},
		{"the folder is removed", func(h string) { put(h + "/.aws/sso/cache/a.json") }, func(h string) { _ = os.RemoveAll(h + "/.aws/sso") }},
		{"a folder above is moved", func(h string) { put(h + "/.aws/sso/cache/a.json") }, func(h string) { rename(h+"/.aws", h+"/old") }},
		{"the first of its folder", func(h string) { put(h + "/.aws/sso/cache/b.json") }, func(h string) { put(h + "/.aws/sso/cache/a.json") }},
		{"no folder at all", func(h string) { put(h + "/.profile") }, func(h string) { put(h + "/.aws/sso/cache/a.json") }},
		{"through a link to a folder", func(h string) {
			put(h + "/disk/sso/cache/a.json")
			_ = os.Symlink("disk", h+"/.aws")
		}, func(h string) { put(h + "/disk/sso/cache/a.json") }},
		{"the link leads elsewhere", func(h string) {
			put(h + "/disk/sso/cache/a.json")
			put(h + "/other/sso/cache/a.json")
			_ = os.Symlink(h+"/disk", h+"/.aws")
		}, func(h string) {
			_ = os.Symlink(h+"/other", h+"/link")
			rename(h+"/link", h+"/.aws")
		}},
		{"through a link to a file", func(h string) {
			put(h + "/dotfiles/token")
			put(h + "/.aws/sso/cache/b.json")
			_ = os.Symlink("../../../dotfiles/token", h+"/.aws/sso/cache/a.json")
		}, func(h string) { put(h + "/dotfiles/token") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			home, a := t.TempDir(), newTestAlarm(t)
			tt.before(home)
			paths := []string{home + "/.aws/sso/cache/a.json"}
			if fresh, _ := a.watcher.watch(paths); !fresh {
				t.Fatal("what is watched from now on may have changed before")
			}
			if fresh, deaf := a.watcher.watch(paths); fresh || deaf != "" {
				testtools.Missing(t,
					fmt.Sprintf("a temporary folder that tells of changes (fresh %v, %q)", fresh, deaf),
					"set TMPDIR to a local disk")
			}
			tt.change(home)
			select {
			case <-a.watcher.news:
			case <-time.After(soon):
				t.Fatal("hears nothing")
			}
			ring(a.watcher.news)
			a.Wait(t.Context(), time.Time{}, paths) // returns
		})
	}
}

// Files beside those that count, reading, and what is not watched any more are no reason to look.
func TestAlarmHearsNothingElse(t *testing.T) {
	t.Parallel()
	dir, a := t.TempDir(), newTestAlarm(t)
	path := filepath.Join(dir, "a.json")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if fresh, deaf := a.watcher.watch([]string{path, filepath.Join(dir, "gone", "x")}); !fresh || deaf != "" {
		testtools.Missing(t, fmt.Sprintf("a temporary folder that tells of changes (fresh %v, %q)", fresh, deaf),
			"set TMPDIR to a local disk")
	}
	if fresh, _ := a.watcher.watch([]string{path}); fresh {
		t.Error("less to watch is news")
	}
	for _, beside := range []string{"a.json.lock", "b.json", "gone"} {
		if err := os.WriteFile(filepath.Join(dir, beside), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // the kernel tells in order: this ends the wait for what came before
		t.Fatal(err)
	}
	select {
	case <-a.watcher.news:
	case <-time.After(soon):
		t.Fatal("hears nothing")
	}
	for _, e := range []event{{name: "b.json"}, {name: "a.json.lock"}} {
		for id := range a.watcher.watches {
			e.watch = id
			if a.watcher.counts(e) {
				t.Errorf("%q counts", e.name)
			}
		}
	}
	if !a.watcher.counts(event{watch: -1, mask: unix.IN_Q_OVERFLOW}) {
		t.Error("lost events do not count")
	}
}

// Where others write unseen, or the system refuses, the files are compared once in Look, and a person who debugs is
// told.
func TestAlarmCompares(t *testing.T) {
	t.Parallel()
	a := newTestAlarm(t)
	var said bytes.Buffer
	a.debug = func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) }
	path := filepath.Join(t.TempDir(), "a.json")
	a.watcher.kind = func(string) (uint32, error) { return unix.NFS_SUPER_MAGIC, nil }
	if fresh, _ := a.watcher.watch([]string{path}); !fresh {
		t.Fatal("not watched")
	}
	minute := regexp.MustCompile(`it_value: \(5\d, `)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for {
			data, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", a.timer.fd))
			if err != nil || minute.Match(data) || ctx.Err() != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	limit := time.AfterFunc(soon, func() { t.Error("the timer is not set to a minute"); cancel() })
	a.Wait(ctx, time.Time{}, []string{path})
	limit.Stop()
	if want := "once in 1m0s: files: the file system of "; !strings.Contains(said.String(), want) ||
		!strings.Contains(said.String(), "0x6969") {
		t.Errorf("said %q", said.String())
	}
	refused := &alarm{debug: a.debug}
	refused.Wait(ctx, time.Time{}, nil)
	if want := "inotify is refused; clock: timerfd is refused"; !strings.Contains(said.String(), want) {
		t.Errorf("said %q", said.String())
	}
}
