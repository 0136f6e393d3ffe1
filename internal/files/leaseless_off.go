//go:build !nolease

package files

const leaseless = false
