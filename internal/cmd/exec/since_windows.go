package exec

import (
	"strconv"

	"golang.org/x/sys/windows"
)

// runningSince returns when a process began, as the system says it, and whether it still runs.
func runningSince(pid int) (since string, ok bool) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid)) //nolint:gosec // a process number
	if err != nil {
		return "", false
	}
	defer func() { _ = windows.CloseHandle(h) }()
	if ended, err := windows.WaitForSingleObject(h, 0); err != nil || ended == windows.WAIT_OBJECT_0 {
		return "", false
	}
	var began, other windows.Filetime
	if err := windows.GetProcessTimes(h, &began, &other, &other, &other); err != nil {
		return "", false
	}
	return strconv.FormatInt(began.Nanoseconds(), 10), true
}
