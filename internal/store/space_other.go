//go:build !linux && !darwin

package store

// full does not look: it is found out by trying.
func full(string, uint64) bool { return false }
