package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A process ID alone does not make a folder in use: the ID may belong to another process by now.
func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record := fmt.Appendf(nil, "%d long-ago\n", os.Getpid())
	if err := os.WriteFile(filepath.Join(dir, processName), record, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, runs := startTime(os.Getpid()); !runs || inUse(dir) {
		t.Errorf("this process runs: %v; in use by an earlier process of its ID: %v", runs, inUse(dir))
	}
}
