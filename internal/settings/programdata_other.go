//go:build !windows

package settings

func programData() string { return "" }
