//go:build race

package roster_test

const raceDetector = true // memory says nothing then
