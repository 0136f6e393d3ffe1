//go:build race

package configedit

const raceEnabled = true
