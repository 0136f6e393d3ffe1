// Package quote writes one argument so that a shell hands it to a program unchanged. It leaves to others which command
// is written; the rule for callers: quote for the shell the person types in, which only internal/app knows.
package quote

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Shell is a command language. The zero value is Sh.
type Shell uint8

const (
	Sh         Shell = iota // POSIX sh, and its relatives: bash, zsh, ksh
	PowerShell              // 5.1 and 7; an argument with a double quote needs 7.3
	Cmd                     // cmd.exe at its prompt, for programs that split arguments as Microsoft's C runtime does
)

// InUse returns the shell that a program was most likely started from. Git Bash and MSYS2 set MSYSTEM; cmd.exe sets
// PROMPT, and neither PowerShell does.
func InUse(goos string, getenv func(string) string) Shell {
	switch {
	case goos != "windows" || getenv("MSYSTEM") != "":
		return Sh
	case getenv("PROMPT") != "":
		return Cmd
	}
	return PowerShell
}

// Arg returns s as one word, unquoted if the shell sees nothing special in it. The result is one line of visible text,
// except that newlines at the end of s stay in Sh, and all control characters in Cmd: neither can write them otherwise.
// A NUL, which no argument can hold, is dropped.
func (sh Shell) Arg(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	switch {
	case sh.bare(s):
		return s
	case sh == PowerShell:
		return powerShell(s)
	case sh == Cmd:
		return cmd(s)
	}
	return posix(s)
}

// Line returns a command line: every word as Arg writes it.
func (sh Shell) Line(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = sh.Arg(word)
	}
	line := strings.Join(quoted, " ")
	if sh == PowerShell && len(words) > 0 && quoted[0] != words[0] {
		return "& " + line // a quoted word alone is a string, not a command
	}
	return line
}

// bare reports whether s needs no quotes.
func (sh Shell) bare(s string) bool {
	special := func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("_-/.:+", r):
			return false
		case r == '@', r == '%', r == '=', r == ',':
			return sh != Sh
		case r == '\\':
			return sh == Sh
		}
		return true
	}
	switch {
	case s == "" || strings.ContainsFunc(s, special):
		return false
	case sh == Sh:
		return s[0] != '=' // zsh: the path of a command
	case sh == PowerShell: // splits -a.b and -a:b
		return s[0] != '-' || !strings.ContainsAny(s, ".:")
	}
	return true
}

// posix uses single quotes, in which every character is itself. What cannot be seen is named to printf, which every sh
// has; $'…' is younger than some of them.
func posix(s string) string {
	if visible(s) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	// A command substitution drops newlines at its end, so those follow it.
	body := strings.TrimRight(s, "\n")
	var b strings.Builder
	b.WriteString(`"$(printf '`)
	for len(body) > 0 {
		r, size := utf8.DecodeRuneInString(body)
		switch {
		case r == '%':
			b.WriteString("%%")
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\'':
			b.WriteString(`\047`)
		case shown(r, size):
			b.WriteString(body[:size])
		default:
			for _, c := range []byte(body[:size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		}
		body = body[size:]
	}
	b.WriteString(`')"`)
	b.WriteString(strings.Repeat("'\n'", len(s)-len(strings.TrimRight(s, "\n"))))
	return b.String()
}

// powerShell uses single quotes, which double themselves; typographic ones count as well (about_Quoting_Rules).
func powerShell(s string) string {
	var b strings.Builder
	if visible(s) {
		for _, r := range s {
			if strings.ContainsRune("'‘’‚‛", r) {
				b.WriteRune(r)
			}
			b.WriteRune(r)
		}
		return "'" + b.String() + "'"
	}
	for _, r := range s {
		switch {
		case strings.ContainsRune("$`\"“”„", r):
			b.WriteString("`" + string(r))
		case shown(r, utf8.RuneLen(r)):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, "$([char]::ConvertFromUtf32(0x%x))", r)
		default:
			fmt.Fprintf(&b, "$([char]0x%x)", r)
		}
	}
	return `"` + b.String() + `"`
}

// cmd writes s for the C runtime in double quotes, and then for cmd.exe: inside double quotes cmd.exe expands % and
// loses count at \", so a word with either has every character that means something escaped by ^ instead.
func cmd(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	backslashes := 0
	for _, r := range s {
		switch r {
		case '\\':
			backslashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, 2*backslashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, backslashes))
		}
		backslashes = 0
		b.WriteRune(r)
	}
	b.WriteString(strings.Repeat(`\`, 2*backslashes) + `"`)
	if !strings.ContainsAny(s, `"%!`) {
		return b.String()
	}
	var escaped strings.Builder
	for _, r := range b.String() {
		if strings.ContainsRune(`()%!^"<>&|`, r) {
			escaped.WriteByte('^')
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

// visible reports whether every character of s can be seen and read.
func visible(s string) bool {
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		if !shown(r, size) {
			return false
		}
	}
	return true
}

// shown reports whether a character of size bytes can be seen and read.
func shown(r rune, size int) bool { return unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) }
