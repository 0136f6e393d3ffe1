//go:build race

package awsconfig

const raceEnabled = true
