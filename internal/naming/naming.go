// Package naming makes the name of a profile from a template, such as {{.AccountName | slug}}-{{.RoleName}}.
//
// It has an expander of its own, since text/template would keep every exported method in the program (see
// internal/archtest). What comes out of a template is cleaned: account names are text from strangers, and a name has to
// be one that every reader of ~/.aws/config accepts. Whether a name is free is not known here.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/fault"
)

// Default is the template of a person who gives none.
const Default = "{{.AccountName | slug}}-{{.RoleName}}"

// MaxName is the length that no name exceeds. It leaves room below the 256 characters that internal/awsconfig takes,
// for what sets apart two names that are the same.
const MaxName = 150

// maxValue bounds what helpers work on, in bytes. The names of accounts have 50 characters, addresses 64.
const maxValue = 256

// Fields are what a template can use. A field may be empty.
type Fields struct {
	AccountName  string // as the portal gives it
	AccountID    string
	AccountEmail string
	RoleName     string
	Session      string // name of the sso-session; empty for a legacy one
	Region       string // the region that the profile gets
}

var fields = []struct {
	name string
	of   func(Fields) string
}{
	{"AccountName", func(f Fields) string { return f.AccountName }},
	{"AccountID", func(f Fields) string { return f.AccountID }},
	{"AccountEmail", func(f Fields) string { return f.AccountEmail }},
	{"RoleName", func(f Fields) string { return f.RoleName }},
	{"Session", func(f Fields) string { return f.Session }},
	{"Region", func(f Fields) string { return f.Region }},
}

// Template is a parsed template. It does not change and is safe for concurrent use.
type Template struct {
	text  string
	parts []part
}

// part is literal text, or a value with what is done to it.
type part struct {
	value   func(Fields) string
	account bool // the value is the account's name
	steps   []func(string) string
}

// String returns the template as it was written.
func (t *Template) String() string { return t.text }

// Name returns the name for f: letters, digits and _ - / . % @ : + alone, at most MaxName of them, neither "-" first or
// last nor "default" in any letter case, which is the profile of commands that are told none. An account name of which
// nothing can be used is replaced by the account's number. The same f gives the same name, always.
//
// A template that comes to nothing for f is a *fault.Error of kind Usage.
func (t *Template) Name(f Fields) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		v := bound(p.value(f))
		for _, step := range p.steps {
			v = bound(step(v))
		}
		if p.account && Clean(v) == "" {
			v = f.AccountID
		}
		b.WriteString(v)
	}
	name := Clean(b.String())
	if name == "" {
		return "", fault.Suggest(fault.Usage, fault.Preface{
			Words: "use a field that is never empty:", Then: fault.Run{"--template", "{{.AccountID}}-{{.RoleName}}"},
		},
			"template %q makes no name for role %q in account %q", t.text, f.RoleName, f.AccountID)
	}
	if strings.EqualFold(name, "default") {
		name = strings.Trim(name+"-"+Clean(f.AccountID), "-")
		if strings.EqualFold(name, "default") {
			name += "-profile"
		}
	}
	return short(name), nil
}

// bound keeps a value at a length that no template can make much of: "replace" after "replace" could grow for ever.
func bound(s string) string {
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "")
	}
	return s
}

// short cuts a name that is too long, and puts a hash of all of it behind what is left, so that it stays another name
// than that of the next one with the same beginning.
func short(name string) string {
	if len(name) <= MaxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.TrimRight(name[:MaxName-9], "-") + "-" + hex.EncodeToString(sum[:4])
}

// Clean returns s with nothing in it that a name cannot hold: accents go from Latin letters; quotes, combining marks,
// control characters and what is invisible are dropped; every other run of foreign characters, blanks and brackets
// among them, becomes one "-", or none beside one that is there. There is no "-" at either end.
func Clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	last := byte('-')
	put := func(text string) {
		if gap && last != '-' && text != "-" {
			b.WriteByte('-')
		}
		gap, last = false, text[len(text)-1]
		b.WriteString(text)
	}
	for _, r := range s {
		switch {
		case Portable(r):
			put(string(r))
		case r >= utf8.RuneSelf && latin()[r] != "":
			put(latin()[r])
		case !dropped(r):
			gap = true
		}
	}
	return strings.Trim(b.String(), "-")
}
