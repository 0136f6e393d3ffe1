package app

// Flags are the flags of every command. Their names are the AWS CLI's where it has the same thing.
type Flags struct {
	Profile, Region      string
	Debug, JSON, NoColor bool
}
