package exec

import (
	"strconv"

	"golang.org/x/sys/windows"
)

// startTime returns when a process started, in a form to compare only, and whether it still runs.
func startTime(pid int) (start string, ok bool) {
	const access = windows.PROCESS_QUERY_LIMITED_INFORMATION | windows.SYNCHRONIZE
	h, err := windows.OpenProcess(access, false, uint32(pid)) //nolint:gosec // a process ID
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
