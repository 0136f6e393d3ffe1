package plain

import (
	"cmp"
	"strings"
)

// FoldCompare compares two texts without regard to upper and lower case.
func FoldCompare(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }
