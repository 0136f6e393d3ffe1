package editor

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hook is the variable in which VS Code gives each of its terminals on a remote machine a socket of its own.
const hook = "VSCODE_IPC_HOOK_CLI"

// Places says where to look for a window. The zero value sees no variable and counts root's sockets only.
type Places struct {
	Getenv func(string) string // nil: no variable is set
	// Folders in which sockets are looked for; nil: $XDG_RUNTIME_DIR, /run/user/UID, $TMPDIR, /tmp.
	Dirs []string
	UID  int // whose sockets count; -1: this process's user

	// Tmux is what tmux knows of a variable, as Tmux.Variable says; nil: asks tmux where TMUX is set.
	Tmux func(ctx context.Context, name string) (value string, known bool)
}

// Try is a socket that was looked at, and what became of it: "answers (web)", "refused", "gone", "no answer within
// 1s".
type Try struct {
	Path    string
	From    string // as in Window
	Outcome string
}

const (
	// headStart is how long the named window is alone: most show within it that they live, and no other is disturbed.
	headStart = 400 * time.Millisecond
	// maxScanned is how many sockets of a scan are asked, newest first. Every terminal has one, and they are left
	// behind.
	maxScanned = 32
	// maxForeign is how many sockets of others a scan names.
	maxForeign = 4
	// maxEntries bounds what is read of a folder that everybody may fill.
	maxEntries = 1 << 16
)

// Find returns the window that this terminal belongs to: the one VSCODE_IPC_HOOK_CLI names, in the session of tmux
// where that renews it, else in the shell. When that is dead, and something says that there may be another (a
// VSCODE_… variable; tmux or screen, whose shells keep the variables of the terminal they were born in), it is the
// one tmux's own environment names, else the newest one that answers. In an SSH session where only tmux or screen
// says so, none but the one that tmux names will do: see mayScan.
//
// tries is what was looked at, best first, up to the window found. All are asked at the same time, each for a second,
// so a dozen that hang cost a second and a half together; a tmux that hangs costs one more. Nothing is found on
// Windows, where VS Code has no sockets.
func Find(ctx context.Context, p Places) (w Window, tries []Try, found bool) {
	if runtime.GOOS == "windows" {
		return Window{}, nil, false
	}
	p = p.complete()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the probes that nobody waits for any more
	var named *candidate
	path, from := p.named(ctx)
	if path != "" {
		named = begin(ctx, path, from, p.UID)
		timer := time.NewTimer(headStart)
		defer timer.Stop()
		select {
		case <-named.done:
		case <-named.alive:
			<-named.done
		case <-timer.C:
		}
	}
	var others chan []*candidate
	if replaceable(p.Getenv) && (named == nil || !named.answered()) {
		others = make(chan []*candidate, 1)
		go func() { others <- p.others(ctx, path) }()
	}
	if named != nil {
		<-named.done
		tries = append(tries, named.try)
		if named.answered() {
			if cancel(); others != nil {
				<-others // p.Tmux is not called after Find has returned
			}
			return named.window(), tries, true
		}
	}
	if others == nil {
		return Window{}, tries, false
	}
	for _, c := range <-others {
		if named != nil && named.try.Path == c.try.Path {
			continue
		}
		<-c.done
		tries = append(tries, c.try)
		if c.answered() {
			return c.window(), tries, true
		}
	}
	return Window{}, tries, false
}

// named returns the socket that a variable names, and where the variable comes from. If tmux renews the variable, its
// value wins over the shell's: the window the shell started in may still be open, on a desk that the person has left.
func (p Places) named(ctx context.Context) (path, from string) {
	path = p.Getenv(hook)
	if p.Getenv("TMUX") != "" {
		if newer, known := p.Tmux(ctx, hook); known && newer != path {
			return newer, "tmux"
		}
	}
	return path, hook
}

// complete puts in what the zero values stand for.
func (p Places) complete() Places {
	if p.Getenv == nil {
		p.Getenv = func(string) string { return "" }
	}
	if p.UID == -1 {
		p.UID = os.Geteuid()
	}
	if p.Tmux == nil {
		p.Tmux = (&Tmux{Getenv: p.Getenv}).Variable
	}
	if p.Dirs == nil {
		p.Dirs = []string{p.Getenv("XDG_RUNTIME_DIR"), "/run/user/" + strconv.Itoa(p.UID), p.Getenv("TMPDIR"), "/tmp"}
	}
	return p
}

// editorVariables are set in the terminals of VS Code, with hook or where a shell has lost it.
var editorVariables = []string{
	hook, "VSCODE_PROXY_URI", "VSCODE_INJECTION", "VSCODE_NONCE", "VSCODE_STABLE", "VSCODE_CWD", "VSCODE_AGENT_FOLDER",
	"VSCODE_GIT_IPC_HANDLE", "VSCODE_GIT_ASKPASS_MAIN", "VSCODE_GIT_ASKPASS_NODE", "VSCODE_GIT_ASKPASS_EXTRA_ARGS",
	"VSCODE_REMOTE_CONTAINERS_SESSION", "VSCODE_SERVER_PORT", "VSCODE_PID", "VSCODE_IPC_HOOK",
}

// fromEditor reports whether the shell was born in a terminal of VS Code.
func fromEditor(getenv func(string) string) bool {
	return slices.ContainsFunc(editorVariables, func(name string) bool { return getenv(name) != "" })
}

// replaceable reports whether a window may be there although VSCODE_IPC_HOOK_CLI does not name a living one.
func replaceable(getenv func(string) string) bool {
	return fromEditor(getenv) || getenv("TMUX") != "" || getenv("STY") != ""
}

// mayScan reports whether any window on this machine may be taken for this terminal's. Where the shell was born in an
// editor's terminal, the newest window that answers is most likely the same one after a reload. Where only tmux or
// screen wraps it, somebody may have attached from an editor's terminal, whose window is then the newest. But who is
// known to have come by SSH, with nothing of an editor, sits at a terminal somewhere, and a window on this machine
// may be one left open on a desk elsewhere: the sign-in page would open there, before nobody or before somebody else,
// and a tunnel would end there. Nobody loses much: the page is opened by hand. A person who attached from an editor
// over SSH gets the window by update-environment in tmux ("set -ga update-environment VSCODE_IPC_HOOK_CLI").
func (p Places) mayScan(ctx context.Context) bool {
	if !p.overSSH(ctx) {
		return true
	}
	if p.Getenv("TMUX") != "" {
		if path, known := p.Tmux(ctx, hook); known {
			return path != "" // attached from an editor's terminal, or from none
		}
	}
	return fromEditor(p.Getenv)
}

// overSSH reports whether the person came by SSH: as tmux knows it since it was attached, else as the shell does. Of
// the three variables tmux renews one; without it the others are of an earlier attach.
func (p Places) overSSH(ctx context.Context) bool {
	if p.Getenv("TMUX") != "" {
		if connection, known := p.Tmux(ctx, "SSH_CONNECTION"); known {
			return connection != ""
		}
	}
	return p.Getenv("SSH_CONNECTION") != "" || p.Getenv("SSH_CLIENT") != "" || p.Getenv("SSH_TTY") != ""
}

// others begins to ask every window but that at named that may be this terminal's, best first.
func (p Places) others(ctx context.Context, named string) []*candidate {
	var scanned []*candidate
	if p.mayScan(ctx) {
		scanned = p.scan(ctx, named)
	}
	path, _ := p.Tmux(ctx, hook) // also one that somebody set for the whole server
	if path == "" || path == named {
		return scanned
	}
	for i, c := range scanned {
		if c.try.Path == path { // it is being asked already
			c.try.From = "tmux"
			return append([]*candidate{c}, slices.Delete(scanned, i, i+1)...)
		}
	}
	return append([]*candidate{begin(ctx, path, "tmux", p.UID)}, scanned...)
}

// scan begins to ask the newest of the sockets in p.Dirs that are named as VS Code names them, but not that at named.
func (p Places) scan(ctx context.Context, named string) []*candidate {
	type file struct {
		path string
		info fs.FileInfo
	}
	var files []file
	var seen []string
	for _, dir := range p.Dirs {
		if !filepath.IsAbs(dir) || slices.Contains(seen, filepath.Clean(dir)) {
			continue
		}
		seen = append(seen, filepath.Clean(dir))
		for _, name := range socketNames(dir) {
			path := filepath.Join(dir, name)
			if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
				files = append(files, file{path, info})
			}
		}
	}
	slices.SortFunc(files, func(a, b file) int {
		if c := b.info.ModTime().Compare(a.info.ModTime()); c != 0 {
			return c
		}
		return strings.Compare(a.path, b.path)
	})
	var list []*candidate
	ours, foreign := 0, 0
	for _, f := range files {
		if uid, ok := fileUID(f.info); !ok || uid != p.UID {
			if foreign++; foreign <= maxForeign {
				list = append(list, refused(f.path, "scan", errOwner))
			}
			continue
		}
		if f.path == named { // asked already, and not one of those that others could crowd out
			continue
		}
		if ours++; ours <= maxScanned {
			list = append(list, begin(ctx, f.path, "scan", p.UID))
		}
	}
	return list
}

// socketNames returns the names in dir that VS Code may have made (createRandomIPCHandle in ipc.net.ts).
func socketNames(dir string) (names []string) {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	all, err := d.Readdirnames(maxEntries)
	if err != nil {
		return nil
	}
	for _, name := range all {
		if strings.HasPrefix(name, "vscode-ipc-") && strings.HasSuffix(name, ".sock") {
			names = append(names, name)
		}
	}
	return names
}

// candidate is a window that is being asked. Its other fields may be read when done is closed.
type candidate struct {
	done   chan struct{}
	alive  chan struct{} // closed early when the window lives and will take its time
	try    Try           // Path is there from the beginning; Outcome, with client, when done is closed
	client Client
}

func begin(ctx context.Context, path, from string, uid int) *candidate {
	c := &candidate{done: make(chan struct{}), alive: make(chan struct{}), try: Try{Path: path, From: from}}
	go func() {
		defer close(c.done)
		client, slow, err := probe(ctx, path, uid, c.alive)
		c.client = client
		switch {
		case err != nil:
			c.try.Outcome = outcome(err)
		case slow:
			c.try.Outcome = fmt.Sprintf("answers (%s, report under way)", client)
		default:
			c.try.Outcome = fmt.Sprintf("answers (%s)", client)
		}
	}()
	return c
}

func refused(path, from string, err error) *candidate {
	c := &candidate{done: make(chan struct{}), try: Try{Path: path, From: from, Outcome: outcome(err)}}
	close(c.done)
	return c
}

// answered reports whether c has answered by now.
func (c *candidate) answered() bool {
	select {
	case <-c.done:
		return c.client != ""
	default:
		return false
	}
}

func (c *candidate) window() Window {
	return Window{Path: c.try.Path, Client: c.client, Named: c.try.From == hook, From: c.try.From}
}
