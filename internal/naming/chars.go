package naming

import (
	"strings"
	"sync"
	"unicode"
)

// Portable reports whether every reader of ~/.aws/config takes r in a profile's name. It is the set of
// configedit.ValidName, which a test holds it to.
func Portable(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return strings.ContainsRune("_-/.%@:+", r)
}

// dropped reports whether r goes without leaving a gap: "Bob's" is Bobs. Line breaks and tabs are blanks.
func dropped(r rune) bool {
	switch r {
	case '\'', '"', '`', '\u2018', '\u2019', '\u201c', '\u201d', '\u00b4', unicode.ReplacementChar:
		return true
	case '\t', '\n', '\v', '\f', '\r', 0x85:
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf)
}

// latin has the letters of western and central European languages without their accents (Latin-1 and Latin Extended-A
// of Unicode).
var latin = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{
		'Æ': "AE", 'æ': "ae", 'Œ': "OE", 'œ': "oe", 'ß': "ss", 'ẞ': "SS", 'Þ': "Th", 'þ': "th", 'Ĳ': "IJ", 'ĳ': "ij",
		'ŉ': "n",
	}
	for plain, accented := range map[string]string{
		"A": "ÀÁÂÃÄÅĀĂĄ", "a": "àáâãäåāăą", "C": "ÇĆĈĊČ", "c": "çćĉċč", "D": "ÐĎĐ", "d": "ðďđ", "E": "ÈÉÊËĒĔĖĘĚ",
		"e": "èéêëēĕėęě",
		"G": "ĜĞĠĢ", "g": "ĝğġģ", "H": "ĤĦ", "h": "ĥħ", "I": "ÌÍÎÏĨĪĬĮİ", "i": "ìíîïĩīĭįı", "J": "Ĵ", "j": "ĵ",
		"K": "Ķ", "k": "ķĸ",
		"L": "ĹĻĽĿŁ", "l": "ĺļľŀł", "N": "ÑŃŅŇŊ", "n": "ñńņňŋ", "O": "ÒÓÔÕÖØŌŎŐ", "o": "òóôõöøōŏő", "R": "ŔŖŘ",
		"r": "ŕŗř",
		"S": "ŚŜŞŠȘ", "s": "śŝşšșſ", "T": "ŢŤŦȚ", "t": "ţťŧț", "U": "ÙÚÛÜŨŪŬŮŰŲ", "u": "ùúûüũūŭůűų", "W": "Ŵ", "w": "ŵ",
		"Y": "ÝŶŸ", "y": "ýÿŷ", "Z": "ŹŻŽ", "z": "źżž",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
})

// slug is text in lower case with letters and digits alone, and one "-" for everything between them.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(Clean(s)) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}
