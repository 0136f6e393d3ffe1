package store

// writable does not look: who may write in a folder is told by lists that only trying reads right.
func writable(string) error { return nil }

// ours is not known: it takes another call, and a file without permissions for its owner is rare.
func ours(string) bool { return false }
