package exec

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// zombie is the state of an ended process that its parent has not reaped: SZOMB of sys/proc.h.
const zombie = 5

// startTime returns when a process started, in a form to compare only, and whether it still runs.
func startTime(pid int) (start string, ok bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || p.Proc.P_stat == zombie {
		return "", false
	}
	return fmt.Sprintf("%d.%06d", p.Proc.P_starttime.Sec, p.Proc.P_starttime.Usec), true
}
