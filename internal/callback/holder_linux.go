package callback

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/plain"
)

// holderPatience bounds the search for a holder: it reads every descriptor of every process of ours.
const holderPatience = 300 * time.Millisecond

// holder names the process that listens on a port of the loopback interface, or its user where the process is not ours
// to see. "" is not known.
func holder(port int) string {
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		inode, uid, ok := socket(table, port)
		if !ok {
			continue
		}
		if name := process(inode); name != "" {
			return name
		}
		if uid != os.Geteuid() {
			return fmt.Sprintf("a process of uid %d", uid)
		}
	}
	return ""
}

// socket finds the listening socket of a port in a table of proc_net_tcp(5).
func socket(table string, port int) (inode string, uid int, ok bool) {
	f, err := os.Open(table)
	if err != nil {
		return "", 0, false
	}
	defer func() { _ = f.Close() }()
	want := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(io.LimitReader(f, 8<<20)); lines.Scan(); {
		// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode …
		field := strings.Fields(lines.Text())
		const listening = "0A"
		if len(field) < 10 || !strings.HasSuffix(field[1], want) || field[3] != listening {
			continue
		}
		uid, err := strconv.Atoi(field[7])
		return field[9], uid, err == nil && field[9] != "0"
	}
	return "", 0, false
}

// process names the process that has a socket open.
func process(inode string) string {
	want := "socket:[" + inode + "]"
	until := time.Now().Add(holderPatience)
	all, err := os.ReadDir("/proc")
	if err != nil {
		return ""
	}
	for _, entry := range all {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if time.Now().After(until) {
			return ""
		}
		dir := filepath.Join("/proc", entry.Name())
		fds, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue // another user's
		}
		for _, fd := range fds {
			if link, err := os.Readlink(filepath.Join(dir, "fd", fd.Name())); err != nil || link != want {
				continue
			}
			name, err := os.ReadFile(filepath.Join(dir, "comm"))
			if err != nil {
				return fmt.Sprintf("pid %d", pid)
			}
			return fmt.Sprintf("%s (pid %d)", plain.Line(string(name), 16), pid) // a process names itself
		}
	}
	return ""
}
