package plain

import (
	"cmp"
	"strings"
)

func FoldCompare(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }
