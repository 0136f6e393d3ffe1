package app

import "time"

// servicePatience is how long logout and status --verify wait for the service, in total for each session. A network
// that drops packets gives no answer and no error.
const servicePatience = 10 * time.Second
