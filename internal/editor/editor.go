// Package editor speaks to the window of VS Code, or of a program made from it, that a terminal on a remote machine
// belongs to: which socket reaches it, whether it runs on a desktop or in a browser, and how it is asked to open a
// URL.
//
// What opening a URL means for a sign-in, and what else could open one, is left to others. The one rule: a socket
// counts only when its file and the program that listens on it belong to this process's user. Whoever holds the
// socket is told the authorize URL, and could sign us in as himself.
//
// The protocol is HTTP over a unix stream socket: POST /, a JSON object in, a JSON value out. Read in VS Code's
// sources (extHostCLIServer.ts, remoteTerminalChannel.ts, mainThreadCLICommands.ts) and seen on version 1.139,
// November 2026.
package editor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// Client says where a window runs. A desktop forwards the port it finds in a URL it opens, a browser does not.
type Client string

// The clients. The zero value is none of them.
const (
	Desktop Client = "desktop"
	Web     Client = "web"
)

// Window is a window that answered. A window closes, reloads and comes back at any time: what was found may be gone.
type Window struct {
	Path   string // its socket
	Client Client // what it answered as
	Named  bool   // VSCODE_IPC_HOOK_CLI names it
	From   string // who named it: "VSCODE_IPC_HOOK_CLI", "tmux", or "scan"
}

// patience is how long a window may take for an answer. A living one takes milliseconds for everything but a
// desktop's report; one that is closed or reloading accepts and never answers (both seen on 1.139, November 2026).
const patience = time.Second

// errOwner is the error for a socket whose file or server is another user's.
var errOwner = errors.New("owned by another user")

// errPeer is errOwner for the server behind a file that is ours.
var errPeer = fmt.Errorf("%w: the program that listens", errOwner)

// errNoSocket is the error for a path that is no socket, a symbolic link to one included.
var errNoSocket = errors.New("no socket")

// errSilent is the error for a window that did not answer in time.
var errSilent = errors.New("no answer within 1s")

// Open asks the window to open url in the browser of the person who looks at it. The window asks that person first,
// and answers when he has answered, so Open does not wait for it: nil means that the window took the request, and no
// more. It returns within about a second; after it the request goes on by itself for as long as the process lives. An
// error means that the window is gone, refuses, is another user's, or did not take the request; url stands in no
// error.
//
// The window must belong to this process's user, whatever Find was told. When ctx ends before Open returns, so does
// the request.
func (w Window) Open(ctx context.Context, url string) error {
	path := w.Path
	if err := checkFile(path, os.Geteuid()); err != nil {
		return err
	}
	// The request outlives ctx, which ends with the call that waits for a page to open.
	asking, stop := context.WithCancel(context.WithoutCancel(ctx))
	var written atomic.Bool
	asking = httptrace.WithClientTrace(
		asking,
		&httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
			written.Store(info.Err == nil)
		}},
	)
	ended := make(chan error, 1)
	go func() {
		defer stop()
		_, err := ask(asking, path, os.Geteuid(), message{Type: "openExternal", URIs: []string{url}})
		ended <- err
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		stop()
		return ctx.Err()
	case <-timer.C:
	}
	if !written.Load() {
		stop()
		return errSilent
	}
	return nil
}

// Trusted returns nil when path is a socket that belongs to this process's user, and so does the program that listens
// on it. It connects and says nothing. It takes a second at most.
func Trusted(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := checkFile(path, os.Geteuid()); err != nil {
		return err
	}
	conn, err := dial(ctx, path, os.Geteuid())
	if err != nil {
		return err
	}
	return conn.Close()
}

// message is what a window is sent. Each type has one of the fields.
type message struct {
	Type string          `json:"type"`
	URIs []string        `json:"uris,omitempty"` // openExternal
	List map[string]bool `json:"list,omitempty"` // extensionManagement
}

// maxAnswer bounds what is read of an answer. A desktop's report has a line for each of its processes: some 10 KB.
const maxAnswer = 1 << 20

// ask sends m and returns the answer, a JSON value of at most maxAnswer bytes. What is no answer to m is an error
// that quotes nothing of what was sent or received.
func ask(ctx context.Context, path string, uid int, m message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, path,
				uid)
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 16 << 10,
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	// RoundTrip, not a client: no redirect is followed.
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answers with status %d", resp.StatusCode)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(answer) > maxAnswer {
		return nil, errors.New("answers too much")
	}
	return answer, nil
}

// dial connects to the stream socket at path, and makes sure that the program there is uid's. The file may have been
// replaced since it was looked at; the one who is connected cannot be.
func dial(ctx context.Context, path string, uid int) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(errNoSocket, conn.Close())
	}
	peer, known, err := peerUID(unixConn)
	if err == nil && known && peer != uid {
		err = errPeer
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// checkFile returns nil when path is a socket file of uid's.
func checkFile(path string, uid int) error {
	if !filepath.IsAbs(path) {
		return errNoSocket // package net takes what begins with "@" for a name outside the file system
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errNoSocket
	}
	if owner, ok := fileUID(info); !ok || owner != uid {
		return errOwner
	}
	return nil
}

// outcome says in a few words why a window could not be asked.
func outcome(err error) string {
	switch {
	case errors.Is(err, errPeer):
		return "its program is another user's"
	case errors.Is(err, errOwner):
		return errOwner.Error()
	case errors.Is(err, fs.ErrNotExist):
		return "gone"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errSilent), errors.Is(err, syscall.EAGAIN):
		return errSilent.Error() // EAGAIN: so many wait to be accepted that there is no place for one more
	case errors.Is(err, context.Canceled):
		return "not waited for"
	case errors.Is(err, errNoSocket), errors.Is(err, syscall.EPROTOTYPE):
		return errNoSocket.Error()
	case errors.Is(err, fs.ErrPermission):
		return "may not be used"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return "cannot be reached"
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return "cannot be reached"
	}
	return "answers nothing that a window would"
}
