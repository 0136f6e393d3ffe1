//go:build !unix

package configedit

import "time"

var started = time.Now()

// cpuTime is the time that has passed, where the processor's is not to be had.
func cpuTime() time.Duration { return time.Since(started) }
