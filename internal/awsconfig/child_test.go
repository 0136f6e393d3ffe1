package awsconfig

// childMain runs the test binary as a helper process when a test has started it as one.
func childMain() bool { return false }
