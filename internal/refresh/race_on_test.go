//go:build race

package refresh_test

// raceEnabled has the program under test built with the race detector too.
const raceEnabled = true
