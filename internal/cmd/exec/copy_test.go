package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The number of a process alone does not tell that a folder is in use: it may belong to another process by now.
func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, copyUser), fmt.Appendf(nil, "%d long-ago\n", os.Getpid()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, runs := runningSince(os.Getpid()); !runs || inUse(dir) {
		t.Errorf("this process runs: %v; its number is taken for that of another: %v", runs, inUse(dir))
	}
}
