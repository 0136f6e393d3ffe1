package app

// Flags are the flags that every command takes. They have the AWS CLI's names where it has the same flag.
type Flags struct {
	Profile, Region      string
	Debug, JSON, NoColor bool
}
