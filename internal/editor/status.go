package editor

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"
)

// slowStatus is after how long without a status a window is asked something that it answers quickly.
const slowStatus = 150 * time.Millisecond

// errStatus is the error for an answer that is no status.
var errStatus = errors.New("no status")

// probe asks the window at path what it is. slow says that it lives and has not finished its report, which only a
// desktop makes; alive is closed as soon as it is known to live. It takes a second at most.
//
// A browser answers `status` with a constant, within milliseconds. A desktop measures its processes first, for a
// whole second on Linux and Windows (cpuUsage.sh, windows-process-tree). So a window that is late is asked for the
// list of its extensions too: it takes the same way to the same window, shows nothing, and a window that is closed or
// reloading does not answer it.
func probe(ctx context.Context, path string, uid int, alive chan<- struct{}) (client Client, slow bool, err error) {
	if err := checkFile(path, uid); err != nil {
		return "", false, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	listed := make(chan bool, 1)
	go func() {
		select {
		case <-ctx.Done():
			listed <- false
		case <-time.After(slowStatus):
			_, err := ask(ctx, path, uid,
				message{Type: "extensionManagement", List: map[string]bool{"showVersions": false}})
			if err == nil {
				close(alive)
			}
			listed <- err == nil
		}
	}()
	answer, err := ask(ctx, path, uid, message{Type: "status"})
	if errors.Is(err, context.DeadlineExceeded) && <-listed {
		return Desktop, true, nil
	}
	if err != nil {
		return "", false, err
	}
	client, ok := classify(answer)
	if !ok {
		return "", false, errStatus
	}
	return client, false, nil
}

// maxNotice is the length in bytes of the longest line that is taken for a browser's answer. The longest translation
// of it has some 300.
const maxNotice = 2000

// classify tells the clients apart by the shape of what they answer to `status`, a JSON string. A browser says in one
// line, in the person's language, that it cannot. A desktop reports: "Version: …", "OS Version: …" and so on, a name
// and a value in each of the first lines. ok is false for anything else.
func classify(answer []byte) (client Client, ok bool) {
	var text string
	if json.Unmarshal(answer, &text) != nil {
		return "", false
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) == 1 {
		ok := len(lines[0]) <= maxNotice && strings.ContainsFunc(lines[0], unicode.IsLetter) &&
			!strings.ContainsFunc(lines[0], unicode.IsControl)
		if !ok {
			return "", false
		}
		return Web, true
	}
	if isField(lines[0]) && isField(lines[1]) {
		return Desktop, true
	}
	return "", false
}

// isField reports a line of the form "name: value", with an ASCII or a full-width colon.
func isField(line string) bool {
	line = strings.TrimRight(line, "\r")
	name, value, found := strings.Cut(line, ": ")
	if wide, rest, ok := strings.Cut(line, "："); ok && (!found || len(wide) < len(name)) {
		name, value, found = wide, rest, true
	}
	starts := strings.IndexFunc(name, unicode.IsLetter) == 0 // not indented, no list, no markup
	return found && starts && len(name) <= 120 && strings.TrimSpace(value) != ""
}
