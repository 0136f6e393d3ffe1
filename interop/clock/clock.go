// Package clock is a system clock that a test moves, for programs of several languages at once.
//
// What they share is a file of eight bytes: by how many seconds the clock is ahead, a signed integer in the machine's
// byte order. A program that asks the C library for the time gets this one by preload/clock.c; one in Go asks Now.
package clock

import (
	"encoding/binary"
	"os"
	"time"
)

// Variable names the file, in the environment.
const Variable = "HOMING_TEST_CLOCK"

// Moved reports whether the clock is a test's.
func Moved() bool { return os.Getenv(Variable) != "" }

// Now is the time by the test's clock. It panics where there is none.
func Now() time.Time {
	text, err := os.ReadFile(os.Getenv(Variable))
	if err != nil {
		panic(err)
	}
	return time.Now().Add(time.Duration(int64(binary.NativeEndian.Uint64(text))) * time.Second)
}

// Set moves the clock of the file to be ahead of the real one, in whole seconds.
func Set(file string, ahead time.Duration) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o600) // in place: others have it mapped
	if err != nil {
		return err
	}
	_, err = f.Write(binary.NativeEndian.AppendUint64(nil, uint64(ahead/time.Second)))
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
