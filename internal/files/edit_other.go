//go:build !linux

package files

import (
	"errors"
	"os"
)

func lease(*os.File) error { return errLeaseless }

func unlease(*os.File) {}

func exchange(string, string) error { return errors.ErrUnsupported }
