package configedit

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

// maxName keeps a header on a screen; AWS names no limit, and no reader has one.
const maxName = 256

// ValidName reports whether every reader of the file accepts name for a profile or session; otherwise a *fault.Error
// of kind Usage says which character is in the way and why that matters.
func ValidName(name string) error {
	const hint = "use letters, digits and _ - / . % @ : + only, for example: my-profile"
	if name == "" {
		return fault.New(fault.Usage, hint, "the name is empty")
	}
	if len(name) > maxName {
		return fault.New(fault.Usage, hint, "the name is %d characters long; at most %d fit", len(name), maxName)
	}
	for _, r := range name {
		if grammar.Portable(r) {
			continue
		}
		switch {
		case r == ' ' || r == '\t':
			return fault.New(fault.Usage, hint,
				"name %q has a space in it, and no way to write that is read by the AWS CLI and the SDKs alike", name)
		case r == '\'' || r == '"':
			return fault.New(fault.Usage, hint,
				"name %q has a quote in it, which the AWS CLI takes away and the SDKs keep", name)
		case unicode.IsControl(r) || r == utf8.RuneError:
			return fault.New(fault.Usage, hint, "name %q has a control character in it, which would break the file",
				name)
		}
		return fault.New(fault.Usage, hint, "name %q has %q in it, which not every SDK accepts in a section header",
			name, r)
	}
	if name == grammar.DefaultSection {
		return fault.New(fault.Usage, "use another name, for example: default",
			"the name %q is taken: the AWS CLI lets every other section inherit from it", name)
	}
	return nil
}

// validKey accepts the keys of AWS's reference: lower or upper case letters, digits, "_", "-" and ".".
func validKey(key string) error {
	for _, r := range key {
		if !grammar.Portable(r) || r == ':' || r == '/' || r == '%' || r == '@' || r == '+' {
			return fault.New(fault.Usage, "use letters, digits and _ - . only, for example: sso_region",
				"key %q has %q in it", key, r)
		}
	}
	if key == "" {
		return fault.New(fault.Usage, "name the key to set, for example: sso_region", "the name of a key is empty")
	}
	return nil
}

// validValue accepts a value that every reader gives back as it is.
func validValue(key, value string) error {
	refuse := func(hint, why string) error {
		return fault.New(fault.Usage, hint, "the value for %q %s", key, why)
	}
	const again = "type the value again, without it"
	if value == "" {
		return refuse("give a value", "is empty")
	}
	if !utf8.ValidString(value) {
		return refuse(again, "has bytes in it that are not UTF-8 text")
	}
	for _, r := range value {
		switch {
		case r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029:
			return refuse(again, "has a line break in it")
		case unicode.IsControl(r):
			return refuse(again, fmt.Sprintf("has a control character in it (%U)", r))
		case unicode.Is(unicode.Bidi_Control, r):
			return refuse(again, fmt.Sprintf("has a character in it that reorders the text around it (%U)", r))
		}
	}
	switch {
	case grammar.PyStrip(value) != value:
		return refuse("type the value again, without the spaces around it",
			"starts or ends with white space, which every reader drops")
	case value[0] == '#' || value[0] == ';' || grammar.CutComment(value) != value:
		return refuse(`write "#" and ";" only directly behind another character`,
			`has " #" or " ;" in it, where the SDKs see a comment and the AWS CLI does not`)
	case (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]:
		return refuse("type the value again, without the quotes around it",
			"stands in quotes, which the AWS CLI keeps and the Go SDK takes away")
	}
	return nil
}
