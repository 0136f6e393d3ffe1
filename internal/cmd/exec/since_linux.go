package exec

import (
	"fmt"
	"os"
	"strings"
)

// runningSince returns when a process began, as the system says it, and whether it still runs: proc_pid_stat(5), fields 22
// (ticks since the machine started) and 3.
func runningSince(pid int) (since string, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	behind := string(text[strings.LastIndexByte(string(text), ')')+1:]) // the program's name may hold anything
	fields := strings.Fields(behind)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19], true
}
