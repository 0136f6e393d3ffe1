package awsconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// Config is the config file and the credentials file as read. It does not change and is safe for concurrent use.
type Config struct {
	files [2]file // config, credentials
	sdk   bool    // read by the SDKs' rules, because the AWS CLI cannot load one of the files
	index func() map[sectionKey][]part
}

type file struct {
	path        string
	credentials bool
	exists      bool
	cli         *grammar.Document
	read        *grammar.Document // cli, or the SDKs' reading
	inherited   []part            // the [DEFAULT] sections, by the AWS CLI's rules
}

type sectionKey struct{ kind, name string }

// part is the contribution of one section to what it names.
type part struct {
	file    *file
	section *grammar.Section
}

// Load reads the two files. A missing file is an empty one. What is wrong inside a file is not an error here:
// CLIError and Problems tell. A file that is there and cannot be read is a *fault.Error of kind Config.
func Load(paths Paths) (*Config, error) {
	config, _, err := readFile(paths.Config)
	if err != nil {
		return nil, err
	}
	return LoadText(paths, config)
}

// LoadText is Load for somebody who has the text of the config file already, and plans a change of just that text.
func LoadText(paths Paths, config string) (*Config, error) {
	credentials, exist, err := readFile(paths.Credentials)
	if err != nil {
		return nil, err
	}
	return newConfig(
		file{path: paths.Config, cli: grammar.ParseCLI(config)},
		file{path: paths.Credentials, exists: exist, cli: grammar.ParseCLI(credentials), credentials: true},
	), nil
}

// Parse is Load for a config file that is already in memory and has no credentials file beside it. The path is for
// messages only.
func Parse(path string, src []byte) *Config {
	return newConfig(file{path: path, cli: grammar.ParseCLI(string(src))},
		file{cli: grammar.ParseCLI(""), credentials: true})
}

func newConfig(config, credentials file) *Config {
	c := &Config{files: [2]file{config, credentials}}
	c.sdk = config.cli.Broken != nil || credentials.cli.Broken != nil
	for i := range c.files {
		f := &c.files[i]
		if f.read = f.cli; c.sdk {
			f.read = grammar.ParseSDK(f.cli.Text)
		}
	}
	return c.prepare()
}

// ReadingOf views a config file on its own by the rules that d was read by.
func ReadingOf(d *grammar.Document) *Config {
	c := &Config{sdk: d.Sdk}
	c.files[0].read = d
	c.files[1] = file{credentials: true, read: &grammar.Document{Sdk: d.Sdk}}
	return c.prepare()
}

func (c *Config) prepare() *Config {
	c.index = sync.OnceValue(c.buildIndex)
	for i := range c.files {
		f := &c.files[i]
		for j := len(f.read.Sections) - 1; j >= 0 && !c.sdk; j-- {
			if s := &f.read.Sections[j]; s.Name == grammar.DefaultSection {
				f.inherited = append(f.inherited, part{f, s})
			}
		}
	}
	return c
}

// readFile reads a file that may be missing. /dev/null counts as missing, as it does for the AWS CLI. A pipe is read,
// as the SDKs do.
func readFile(path string) (text string, exists bool, err error) {
	if path == "" {
		return "", false, nil
	}
	text, err = files.ReadInput(path)
	var other files.NotRegular
	switch {
	case err == nil:
		return text, true, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case errors.As(err, &other):
		remedy := fault.Run{"ls", "-l", path}
		if fs.FileMode(other).IsDir() {
			remedy = fault.Run{"mv", path, path + ".old"}
		}
		return "", false, fault.Suggest(fault.Config, remedy, "%q %s", path, strings.TrimPrefix(other.Error(), "it "))
	}
	return "", false, &fault.Error{
		Kind: fault.Config, Err: err,
		Msg:    fmt.Sprintf("cannot read %q: %s", path, Reason(err)),
		Remedy: fault.Run{"ls", "-l", path},
	}
}

// Reason returns what the system said, without the operation and the path that the message already names.
func Reason(err error) string {
	var pathError *fs.PathError
	var linkError *os.LinkError
	var syscallError *os.SyscallError
	switch {
	case errors.As(err, &pathError):
		err = pathError.Err
	case errors.As(err, &linkError):
		err = linkError.Err
	case errors.As(err, &syscallError):
		err = syscallError.Err
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// CLIError returns why the AWS CLI cannot load the files, with the line, as a *fault.Error of kind Config; nil when
// it can. While it is not nil, no AWS CLI command works at all, and reading here follows the SDKs' rules.
func (c *Config) CLIError() error {
	for i := range c.files {
		if f := &c.files[i]; f.cli.Broken != nil {
			return CannotLoad(f.path, f.cli.Broken)
		}
	}
	return nil
}

// CannotLoad is the error for a file that the AWS CLI cannot load.
func CannotLoad(path string, broken *grammar.SyntaxError) error {
	return fault.Suggest(fault.Config, fault.Edit{File: path, Line: broken.Line},
		"%q: line %d: the AWS CLI cannot load this file: %s", path, broken.Line, broken.Cause)
}

// ConfigPath returns the path of the config file, for messages.
func (c *Config) ConfigPath() string { return c.files[0].path }

// id says what a header of f names under the rule set in use.
func (c *Config) id(f *file, header string) (kind, name string, ok bool) {
	switch {
	case !f.credentials && !c.sdk:
		return grammar.CliID(header)
	case !f.credentials:
		return grammar.SdkID(header)
	case !c.sdk: // the AWS CLI takes every section of the credentials file for a profile, name and all
		return grammar.KindProfile, header, header != grammar.DefaultSection
	default:
		kind, _, ok := grammar.SdkID(header)
		return grammar.KindProfile, header, !ok ||
			kind == grammar.KindProfile && !strings.HasPrefix(header, grammar.KindProfile)
	}
}

// find returns the parts that make up what key names, strongest first: credentials before config; for the AWS CLI the
// last section of that name, then [DEFAULT]; for the SDKs all of them, the last first.
func (c *Config) find(key sectionKey) []part {
	var found []part
	for i := len(c.files) - 1; i >= 0; i-- {
		f := &c.files[i]
		if f.credentials && key.kind != grammar.KindProfile {
			continue
		}
		var ofFile []part
		for j := len(f.read.Sections) - 1; j >= 0; j-- {
			s := &f.read.Sections[j]
			if kind, name, ok := c.id(f, s.Name); !ok || kind != key.kind || name != key.name {
				continue
			}
			ofFile = append(ofFile, part{f, s})
			if !c.sdk {
				break
			}
		}
		found = append(found, c.complete(f, ofFile)...)
	}
	return found
}

// complete applies the rules beyond the single section to the parts of one thing in one file, the last one first.
func (c *Config) complete(f *file, parts []part) []part {
	if len(parts) == 0 {
		return nil
	}
	if !c.sdk {
		return append(parts, f.inherited...)
	}
	prefixed := func(p part) bool { return strings.HasPrefix(p.section.Name, grammar.KindProfile+" ") }
	if f.credentials || !slices.ContainsFunc(parts, prefixed) {
		return parts
	}
	// [profile default] hides [default]
	return slices.DeleteFunc(parts,
		func(p part) bool { return !prefixed(p) && strings.EqualFold(p.section.Name, "default") })
}

// buildIndex is find for everything at once, for the callers that ask about every profile.
func (c *Config) buildIndex() map[sectionKey][]part {
	index := make(map[sectionKey][]part, len(c.files[0].read.Sections))
	for i := len(c.files) - 1; i >= 0; i-- {
		f := &c.files[i]
		ofFile := make(map[sectionKey][]part, len(f.read.Sections))
		for j := len(f.read.Sections) - 1; j >= 0; j-- {
			s := &f.read.Sections[j]
			if kind, name, ok := c.id(f, s.Name); ok {
				if key := (sectionKey{kind, name}); c.sdk || ofFile[key] == nil {
					ofFile[key] = append(ofFile[key], part{f, s})
				}
			}
		}
		for key, parts := range ofFile {
			index[key] = append(index[key], c.complete(f, parts)...)
		}
	}
	return index
}

// Names lists what there is of a kind in the order of the files, config first.
func (c *Config) Names(kind string) []string {
	var names []string
	seen := make(map[string]bool)
	for i := range c.files {
		f := &c.files[i]
		for j := range f.read.Sections {
			if k, name, ok := c.id(f, f.read.Sections[j].Name); ok && k == kind && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// ProfileNames lists the profiles in the order of the config file, then those of the credentials file only.
func (c *Config) ProfileNames() []string { return c.Names(grammar.KindProfile) }

// SessionNames lists the [sso-session] sections in the order of the file.
func (c *Config) SessionNames() []string { return c.Names(grammar.KindSession) }

// Profile returns a profile by its name, "default" for [default]; false when neither file has it.
func (c *Config) Profile(name string) (Profile, bool) {
	return c.lookUp(sectionKey{grammar.KindProfile, name})
}

// lookUp reads what key names.
func (c *Config) lookUp(key sectionKey) (Profile, bool) { return read(key.name, c.find(key)) }

// Section returns what the files hold under the headers of a kind and name, such as "profile" and "dev".
func (c *Config) Section(kind, name string) (Profile, bool) { return c.lookUp(sectionKey{kind, name}) }

// IndexedSection is Section for the callers that ask about everything.
func (c *Config) IndexedSection(kind, name string) (Profile, bool) {
	return c.lookUpIndexed(sectionKey{kind, name})
}

// lookUpIndexed is lookUp for the callers that ask about everything.
func (c *Config) lookUpIndexed(key sectionKey) (Profile, bool) { return read(key.name, c.index()[key]) }

func read(name string, parts []part) (Profile, bool) {
	p := Profile{Name: name, parts: make([]settings, len(parts))}
	for i, part := range parts {
		p.parts[i] = settings{part.file, part.file.read.Options(part.section)}
	}
	return p, len(parts) > 0
}

// Profile is one profile as the rule set in use reads it. The zero value has no keys.
type Profile struct {
	Name  string
	parts []settings // strongest first
}

// settings are the options of one section.
type settings struct {
	file    *file
	options []grammar.Option
}

// Get returns the value of a key, given in lower case; "" when the profile does not have it or it is a nested block.
func (p Profile) Get(key string) string {
	v, _ := p.Lookup(key)
	return v
}

// Lookup is Get that tells an empty value from a missing one. Nested blocks count as missing: see Sub.
func (p Profile) Lookup(key string) (value string, ok bool) {
	o, _ := p.Option(key)
	if o == nil || o.Nested {
		return "", false
	}
	return o.Value, true
}

// Sub returns a value of the nested block below key, such as Sub("s3", "addressing_style").
func (p Profile) Sub(key, subkey string) (value string, ok bool) {
	o, _ := p.Option(key)
	if o == nil {
		return "", false
	}
	for i := len(o.Subs) - 1; i >= 0; i-- {
		if o.Subs[i].Key == subkey {
			return o.Subs[i].Value, true
		}
	}
	return "", false
}

// Keys lists the keys of the profile, nested blocks included, each once and in the order of the files.
func (p Profile) Keys() []string {
	var keys []string
	seen := make(map[string]bool)
	for i := len(p.parts) - 1; i >= 0; i-- {
		for j := range p.parts[i].options {
			if key := p.parts[i].options[j].Key; !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// Where returns the file and line that a key's value comes from; "" and 0 when the profile does not have it.
func (p Profile) Where(key string) (path string, line int) {
	o, f := p.Option(key)
	if o == nil {
		return "", 0
	}
	return f.path, o.Line
}

// Option returns the option that counts for key, and its file; nil if the profile has none.
func (p Profile) Option(key string) (*grammar.Option, *file) {
	for _, part := range p.parts {
		if o := grammar.Lookup(part.options, key); o != nil {
			return o, part.file
		}
	}
	return nil, nil
}
