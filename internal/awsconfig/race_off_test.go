//go:build !race

package awsconfig

const raceEnabled = false
