package files

import (
	"io/fs"
	"os"
)

func mayWrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// adopt: a new file inherits the access rules of its folder, as the old one did.
func adopt(*os.File, fs.FileInfo) error { return nil }

// holdSignals: nothing here stops a process.
func holdSignals() (release func()) { return func() {} }
