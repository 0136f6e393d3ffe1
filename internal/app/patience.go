package app

import (
	"time"
)

// servicePatience is how long logout and status --verify wait for the service in all, for each session: a network that
// is mute answers nothing, and fails nothing.
const servicePatience = 10 * time.Second
