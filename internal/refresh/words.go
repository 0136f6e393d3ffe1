package refresh

import (
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// named is how a message calls a session.
func named(s session.Session) string { return s.InWords() }

func quote(s string) string { return strconv.Quote(s) }

// clock is a time as messages show it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// shell writes a name of the config file so that a shell reads it as one word. Names of the usual grammar stay as they
// are.
func shell(s string) string {
	usual := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-/.%@:+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !usual(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
