package exec

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// zombie is a process that has ended and that nobody has waited for: SZOMB of sys/proc.h.
const zombie = 5

// runningSince returns when a process began, as the system says it, and whether it still runs.
func runningSince(pid int) (since string, ok bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || p.Proc.P_stat == zombie {
		return "", false
	}
	return fmt.Sprintf("%d.%06d", p.Proc.P_starttime.Sec, p.Proc.P_starttime.Usec), true
}
