package exec

import (
	"fmt"
	"os"
	"strings"
)

// startTime returns when a process started, in a form to compare only, and whether it still runs: fields 22 (ticks
// since boot) and 3 of proc_pid_stat(5).
func startTime(pid int) (start string, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	// The program's name, in parentheses, may contain anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19], true
}
