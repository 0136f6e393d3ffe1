//go:build !windows

package store

import "syscall"

// writable asks the system whether files can be made in a folder: W_OK and X_OK of access(2).
func writable(dir string) error { return syscall.Access(dir, 2|1) }
