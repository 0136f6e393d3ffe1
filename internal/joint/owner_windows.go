package joint

import "io/fs"

// ours and private leave it to the folder's inherited permissions: a user's profile is his alone.
func ours(fs.FileInfo) bool { return true }

func private(fs.FileInfo) bool { return true }
