package keep

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// itself is what may happen to a folder or a link on the way to a file, so that the path leads elsewhere.
	itself = unix.IN_MOVE_SELF | unix.IN_DELETE_SELF // and not IN_ATTRIB, which also tells of every file in the folder
	// inside is what may happen to a file in a folder. Of a file that is written in place the end is what counts.
	inside = unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_CREATE | unix.IN_DELETE |
		unix.IN_MOVED_FROM | unix.IN_MOVED_TO | itself
	// links is how many links a path may lead through, as for the kernel (path_resolution(7)).
	links = 40
)

// local lists the file systems that tell of every change, since only this kernel writes to them. On others (NFS, SMB,
// 9p of WSL, FUSE and virtiofs of Docker Desktop) another machine writes too, which inotify does not see.
var local = []uint32{
	unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.RAMFS_MAGIC,
	unix.OVERLAYFS_SUPER_MAGIC,
	unix.F2FS_SUPER_MAGIC, unix.BCACHEFS_SUPER_MAGIC, unix.ECRYPTFS_SUPER_MAGIC, 0x2fc12fc1, // the last is ZFS
}

// watcher tells of changes to files by inotify(7). It watches folders, since files are replaced, and need not be
// there.
type watcher struct {
	fd   int
	file io.ReadCloser
	news chan struct{}
	done sync.WaitGroup
	kind func(path string) (uint32, error) // of file system; statfs(2) but for tests

	mu      sync.Mutex
	watches map[int32]*watch
}

// watch is what is watched in one place.
type watch struct {
	path  string
	mask  uint32
	names []string // of the files that count, where the mask holds inside
}

func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &watcher{
		fd: fd, file: os.NewFile(uintptr(fd), "inotify"), news: make(chan struct{}, 1), kind: kindOf,
		watches: map[int32]*watch{},
	}
	w.done.Go(w.listen)
	return w, nil
}

func (w *watcher) close() {
	_ = w.file.Close() // ends listen
	w.done.Wait()
}

// watch watches paths, and nothing else from now on. fresh says that a watch is new, so that what it stands for may
// have changed before; deaf says why not every change will be told of, "" if it will.
func (w *watcher) watch(paths []string) (fresh bool, deaf string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := map[int32]*watch{}
	for _, want := range wanted(paths) {
		wd, err := unix.InotifyAddWatch(w.fd, want.path, want.mask|unix.IN_DONT_FOLLOW)
		if errors.Is(err, unix.EACCES) && want.mask == itself {
			continue // a folder that we may only pass through is not ours to move
		}
		if err != nil {
			deaf = fmt.Sprintf("%s cannot be watched: %s", want.path, err)
			continue
		}
		id := int32(wd)
		if same := now[id]; same != nil { // the same folder in another place, by a bind mount
			want.mask |= same.mask
			want.names = append(want.names, same.names...)
			if _, err := unix.InotifyAddWatch(w.fd, want.path, want.mask|unix.IN_DONT_FOLLOW); err != nil {
				deaf = fmt.Sprintf("%s cannot be watched: %s", want.path, err)
			}
		}
		now[id] = want
		if was := w.watches[id]; was == nil || was.path != want.path ||
			slices.ContainsFunc(want.names, func(n string) bool { return !slices.Contains(was.names, n) }) {
			fresh = true
		}
		if want.mask&inside != inside {
			continue
		}
		if kind, err := w.kind(want.path); err != nil || !slices.Contains(local, kind) {
			deaf = fmt.Sprintf("the file system of %s (type %#x) does not tell what others write", want.path, kind)
		}
	}
	for id := range w.watches {
		if now[id] == nil {
			_, _ = unix.InotifyRmWatch(w.fd, uint32(id)) // it may have gone by itself
		}
	}
	w.watches = now
	return fresh, deaf
}

func kindOf(path string) (uint32, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return uint32(fs.Type), nil
}

// listen reads the news until the watcher is closed.
func (w *watcher) listen() {
	buf := make([]byte, 4<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		if slices.ContainsFunc(events(buf[:n]), w.counts) {
			ring(w.news)
		}
	}
}

// counts reports whether e is about what is watched: not of a file beside it.
func (w *watcher) counts(e event) bool {
	if e.mask&unix.IN_Q_OVERFLOW != 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.watches[e.watch]
	switch {
	case at == nil: // not watched any more
		return false
	case e.mask&unix.IN_IGNORED != 0:
		delete(w.watches, e.watch)
		return true
	case e.name == "":
		return true
	}
	return slices.Contains(at.names, e.name)
}

// wanted returns what to watch so that nothing happens to paths unseen: the folder of each file, and by itself each
// folder and link on the way there. Where a folder is missing it is the last one that is there, for the name that is
// not.
func wanted(paths []string) []*watch {
	var list []*watch
	add := func(path string, mask uint32, name string) {
		i := slices.IndexFunc(list, func(w *watch) bool { return w.path == path })
		if i < 0 {
			i = len(list)
			list = append(list, &watch{path: path})
		}
		list[i].mask |= mask
		if name != "" && !slices.Contains(list[i].names, name) {
			list[i].names = append(list[i].names, name)
		}
	}
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			continue
		}
		follow(path, add)
	}
	return list
}

// follow walks to the file of path as the kernel does, link by link, and names each place on the way.
func follow(path string, add func(path string, mask uint32, name string)) {
	at, rest := "/", strings.Split(strings.Trim(path, "/"), "/")
	for left := links; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil || len(rest) == 0 {
			add(at, inside, name)
		} else {
			add(next, itself, "")
		}
		if err != nil {
			return
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		to, err := os.Readlink(next)
		if left--; err != nil || left == 0 {
			return
		}
		if filepath.IsAbs(to) {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(to, "/"), "/"), rest...)
	}
}
