package grammar

import "strings"

// ShellWords splits s as Python's shlex.split(s) does (POSIX mode, no comments); ok is false where it raises.
func ShellWords(s string) (words []string, ok bool) {
	const (
		between = iota // words
		inWord
		inQuote
		escaped
	)
	var (
		word   []rune
		quoted bool // an empty word in quotes counts as a word
		state  = between
		quote  rune
		back   int // the state to return to after an escaped character
	)
	end := func() {
		if len(word) > 0 || quoted {
			words = append(words, string(word))
		}
		word, quoted, state = nil, false, between
	}
	for _, r := range s {
		switch state {
		case between, inWord:
			switch r {
			case ' ', '\t', '\r', '\n':
				end()
			case '\\':
				back, state = inWord, escaped
			case '"', '\'':
				quote, state = r, inQuote
			default:
				word, state = append(word, r), inWord
			}
		case inQuote:
			quoted = true
			switch {
			case r == quote:
				state = inWord
			case r == '\\' && quote == '"':
				back, state = inQuote, escaped
			default:
				word = append(word, r)
			}
		case escaped:
			// Inside quotes only the quote and the backslash can be escaped; the backslash stays before others.
			if back == inQuote && r != '\\' && r != quote {
				word = append(word, '\\')
			}
			word, state = append(word, r), back
		}
	}
	if state == inQuote || state == escaped {
		return nil, false
	}
	end()
	return words, true
}

// ShellQuote writes s so that shellWords makes one word of it.
func ShellQuote(s string) string {
	switch {
	case !strings.ContainsAny(s, `"\`):
		return `"` + s + `"`
	case !strings.Contains(s, "'"):
		return "'" + s + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
