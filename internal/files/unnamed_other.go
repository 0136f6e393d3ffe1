//go:build !linux

package files

import "errors"

func createUnnamed(string, []byte) error { return errors.ErrUnsupported }
