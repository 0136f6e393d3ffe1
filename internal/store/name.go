package store

import (
	"crypto/sha1" // names of files, as the AWS CLI computes them: not a protection of anything
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/session"
)

// tool stands in the recipe of a registration's file name, so that ours and the AWS CLI's ("botocore") are two files:
// the consent page names the program that registered.
const tool = "homing"

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// registrationName is the AWS CLI's recipe (botocore.utils.SSOTokenFetcher._registration_cache_key): the SHA-1 of a
// sorted JSON object.
func registrationName(s session.Session, tool string) string {
	scopes, name := "null", "null"
	if list := s.RegistrationScopes(); list != nil {
		scopes = pyStrings(list)
	}
	if !s.Legacy() {
		name = pyString(s.Name)
	}
	return sha1Hex(pyObject(", ", ": ",
		"region", pyString(s.Region),
		"scopes", scopes,
		"session_name", name,
		"startUrl", pyString(s.StartURL),
		"tool", pyString(tool),
	))
}

// roleName is the AWS CLI's recipe for role credentials (botocore.credentials.SSOCredentialFetcher): the SHA-1 of a
// sorted JSON object without blanks.
func roleName(k RoleKey) string {
	which, value := "sessionName", k.Session.Name
	if k.Session.Legacy() {
		which, value = "startUrl", k.Session.StartURL
	}
	return sha1Hex(pyObject(",", ":",
		"accountId", pyString(k.AccountID),
		"roleName", pyString(k.RoleName),
		which, pyString(value),
	))
}

// pyObject writes a JSON object from names and values that are JSON already, in the order given.
func pyObject(comma, colon string, pairs ...string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteString(comma)
		}
		b.WriteString(pyString(pairs[i]))
		b.WriteString(colon)
		b.WriteString(pairs[i+1])
	}
	b.WriteByte('}')
	return b.String()
}

// pyStrings writes a JSON array of strings with Python's separators.
func pyStrings(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = pyString(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// pyString writes s as Python's json.dumps does: everything but printable ASCII escaped, in lower case, characters
// beyond U+FFFF as two surrogates. A byte that is no UTF-8 becomes U+DC80 to U+DCFF, as Python reads it.
func pyString(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == utf8.RuneError && size == 1:
			writeEscape(&b, 0xdc00+rune(s[i]))
		case r > 0xffff:
			writeEscape(&b, 0xd800+(r-0x10000)>>10)
			writeEscape(&b, 0xdc00+(r-0x10000)&0x3ff)
		default:
			writeEscape(&b, r)
		}
		i += size
	}
	b.WriteByte('"')
	return b.String()
}

func writeEscape(b *strings.Builder, r rune) {
	b.WriteString(`\u`)
	hex := strconv.FormatInt(int64(r), 16)
	b.WriteString("0000"[len(hex):])
	b.WriteString(hex)
}
