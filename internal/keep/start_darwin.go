package keep

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// processStart tells one process of a number from the next one: when it was started. "" is not known, or no such
// process.
func processStart(pid int) string {
	if pid <= 0 {
		return ""
	}
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d.%06d", p.Proc.P_starttime.Sec, p.Proc.P_starttime.Usec)
}
