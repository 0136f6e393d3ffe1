package store

// writable does not look: who may write in a folder is told by lists that only trying reads right.
func writable(string) error { return nil }
