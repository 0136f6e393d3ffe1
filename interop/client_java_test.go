//go:build unix

package interop

import (
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	clients["java"] = func(t *testing.T) ([]string, []string) { return []string{testtools.JavaClient(t)}, nil }
}
