package editor

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/homing-cli/homing/internal/testtools"
)

// stranger is a user that is not us.
const stranger = 54321

// TestAnotherUsersFile: the server is ours, the file is not. Anybody who can rename files in the folder can do that.
func TestAnotherUsersFile(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := folder(t)
	s := &stand{}
	path := s.start(t, dir, "x")
	if err := os.Chown(path, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	notOurs(t, s, dir, path, errOwner, "owned by another user")
}

// TestAnotherUsersServer: the file is ours, the server is not. It is what a file swapped after the first look would
// be, so the check of the file alone lets it pass.
func TestAnotherUsersServer(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := folder(t)
	s := &stand{}
	path := filepath.Join(dir, "vscode-ipc-x.sock")
	s.serve(t, listenAs(t, path, stranger))
	if err := checkFile(path, os.Geteuid()); err != nil {
		t.Fatalf("the file is not ours, so the other check is not tried: %v", err)
	}
	notOurs(t, s, dir, path, errPeer, "its program is another user's")
}

// TestAnotherUserIsAnother needs no root: to someone else our window is another user's.
func TestAnotherUserIsAnother(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := &stand{}
	path := s.start(t, dir, "x")
	_, tries, found := Find(t.Context(), Places{Getenv: env(hook, path), Dirs: []string{dir}, UID: os.Geteuid() + 1})
	if got := said(tries); found || got != "x from VSCODE_IPC_HOOK_CLI: owned by another user\n" {
		t.Errorf("found %v after\n%s", found, got)
	}
	// Were the file his, the program that listens would still be ours.
	conn, err := dial(t.Context(), path, os.Geteuid()+1)
	if !errors.Is(err, errPeer) {
		t.Errorf("got %v, %v", conn, err)
	}
	if got := s.messages(); len(got) != 0 {
		t.Errorf("it was sent %+v", got)
	}
}

// notOurs makes sure that s at path is neither found nor told anything, whether it is named or scanned.
func notOurs(t *testing.T, s *stand, dir, path string, want error, outcome string) {
	t.Helper()
	for _, p := range []Places{
		{Getenv: env(hook, path), Dirs: []string{}, UID: -1},
		{Getenv: env("STY", "x"), Dirs: []string{dir}, UID: -1},
	} {
		w, tries, found := Find(t.Context(), p)
		if found || len(tries) != 1 || tries[0].Outcome != outcome {
			t.Errorf("found %v %+v after %+v, want %q", found, w, tries, outcome)
		}
	}
	if err := (Window{Path: path, Client: Desktop}).Open(t.Context(), page); !errors.Is(err, want) {
		t.Errorf("Open says %v, want %v", err, want)
	}
	if err := Trusted(t.Context(), path); !errors.Is(err, want) {
		t.Errorf("Trusted says %v, want %v", err, want)
	}
	if got := s.messages(); len(got) != 0 {
		t.Errorf("another user's socket was sent %+v", got)
	}
}

// TestForeignersCrowd: sockets of others, however many and new, do not hide ours.
func TestForeignersCrowd(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := folder(t)
	ours := (&stand{}).start(t, dir, "ours")
	for i := range 2 * maxScanned {
		path := stale(t, dir, string(rune('a'+i/26))+string(rune('a'+i%26)))
		if err := os.Chown(path, stranger, stranger); err != nil {
			t.Fatal(err)
		}
	}
	w, tries, _ := Find(t.Context(), Places{Getenv: env("STY", "x"), Dirs: []string{dir}, UID: -1})
	if w.Path != ours || len(tries) != maxForeign+1 {
		t.Errorf("found %+v after %d tries, want ours after %d", w, len(tries), maxForeign+1)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		testtools.Missing(t, "the right to be another user", "run the test as root")
	}
}

// listenAs listens at path as the user uid; the file is ours. A socket's peer credentials are those of the thread
// that called listen, and on Linux one thread can have an effective user of its own.
func listenAs(t *testing.T, path string, uid int) net.Listener {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	listened := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); errno != 0 {
			listened <- errno
			return
		}
		listened <- unix.Listen(fd, 16)
	}()
	if err := <-listened; err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	l, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
