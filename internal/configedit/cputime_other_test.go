//go:build !unix

package configedit

import "time"

var started = time.Now()

// cpuTime is the time that has passed, where the system does not tell that of the processor.
func cpuTime() time.Duration { return time.Since(started) }
