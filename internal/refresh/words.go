package refresh

import "time"

// clock is a time as messages show it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
