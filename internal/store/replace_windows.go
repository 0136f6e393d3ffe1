package store

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// replace puts the file temp in the place of target in one step. Windows refuses while another program has the target
// open, which for a file of this size is over in milliseconds, so it is tried for up to a second.
func replace(temp, target string) error {
	for wait := time.Millisecond; ; wait *= 2 {
		err := os.Rename(temp, target)
		if err == nil || wait > 512*time.Millisecond || !errors.Is(err, windows.ERROR_ACCESS_DENIED) &&
			!errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return err
		}
		time.Sleep(wait)
	}
}
