//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package term

import (
	"context"
	"errors"
	"os"
)

// Inputs is not available here: it returns errors.ErrUnsupported. On Windows a read of the console cannot be ended,
// and the keys it takes would be lost to the shell; `homing callback` in another window does the same.
func Inputs(context.Context, *os.File, *os.File) (inputs <-chan Input, restore func(), err error) {
	return nil, nil, errors.ErrUnsupported
}
