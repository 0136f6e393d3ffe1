//go:build !windows

package store

import "os"

// replace puts the file temp in the place of target in one step.
func replace(temp, target string) error { return os.Rename(temp, target) }
