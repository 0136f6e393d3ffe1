//go:build !windows

package app

import (
	"os"
)

// understandsEscapes reports whether a terminal acts on escape sequences: all but TERM=dumb, which is asked
// elsewhere.
func understandsEscapes(*os.File) bool { return true }
