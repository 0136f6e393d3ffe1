//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package term

import "errors"

func flush(uintptr) error { return errors.ErrUnsupported }
