//go:build nolease

package files

// leaseless makes a binary that edits as on file systems without leases: go build -tags nolease, for tests.
const leaseless = true
