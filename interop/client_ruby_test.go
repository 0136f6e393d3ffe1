//go:build unix

package interop

import (
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	clients["ruby"] = func(t *testing.T) ([]string, []string) {
		return []string{testtools.Ruby(t), abs(t, "ruby", "client.rb")}, nil
	}
}
