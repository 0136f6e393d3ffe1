package awsconfig

import (
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

// givesCredentials reports whether a key is about where credentials come from or whose they are. What an SDK finds
// there it uses before it asks a container-credentials endpoint.
func givesCredentials(key string) bool {
	key = strings.TrimFunc(key,
		func(r rune) bool { return !grammar.Portable(r) }) // a byte order mark, which some reader may drop
	if strings.HasPrefix(key, "sso_") || strings.HasPrefix(key, "aws_") {
		return true
	}
	switch key {
	case "credential_process", "credential_source", "role_arn", "source_profile", "role_session_name", "external_id",
		"mfa_serial", "duration_seconds", "web_identity_token_file", "web_identity_token", "login_session",
		"x_security_token_expires":
		return true
	}
	return false
}

// WithoutCredentials returns a config file that has the settings of a profile (region, output, endpoints, s3 …) and
// no way to credentials: no key that leads to any, under either rule set, and no comment. Its [default] is the
// profile; it is there under its own name too. [DEFAULT], [services …] and [plugins] stay, other profiles do not:
// with nothing in them that leads to credentials, a program told to use one would act as the first.
//
// Lines that stay are copied as they are, so that every reader takes them for what it took them for before. The error
// is a *fault.Error of kind Config, for files that the AWS CLI cannot load or a profile that is not there.
func (c *Config) WithoutCredentials(profile string) ([]byte, error) {
	if err := c.CLIError(); err != nil {
		return nil, err
	}
	if _, ok := c.Profile(profile); !ok {
		return nil, c.unknownProfile(profile, nil)
	}
	var settings, rest []string
	config := &c.files[0]
	own := c.copiedSections(config, sectionKey{grammar.KindProfile, profile})
	// Those of the credentials file win.
	for _, line := range c.copiedSections(&c.files[1], sectionKey{grammar.KindProfile, profile}) {
		own = slices.DeleteFunc(own, func(o copiedOption) bool { return o.key == line.key })
		own = append(own, line)
	}
	for _, o := range own {
		settings = append(settings, o.text)
	}
	for i := range config.cli.Sections {
		s := &config.cli.Sections[i]
		kind, _, named := grammar.CliID(s.Name)
		if named && kind != grammar.KindServices || !named && s.Name != grammar.DefaultSection && s.Name != "plugins" {
			continue
		}
		rest = append(rest, "["+s.Name+"]\n")
		for _, o := range optionsWithout(config.cli, s) {
			rest = append(rest, o.text)
		}
	}
	text := "[default]\n" + strings.Join(settings, "")
	for _, header := range copiedHeaders(profile) {
		text += "[" + header + "]\n" + strings.Join(settings, "")
	}
	text += strings.Join(rest, "")
	return []byte(text), checkWithoutCredentials(config.path, text)
}

// copiedHeaders are the headers below which every reader that can find the profile under its name does. A name with a
// space needs two: the AWS CLI wants it in quotes, and the SDKs take quotes for a part of it.
func copiedHeaders(profile string) (headers []string) {
	if profile == "default" {
		return nil
	}
	plain := grammar.KindProfile + " " + profile
	_, name, ok := grammar.CliID(plain)
	if !ok || name == profile {
		headers = append(headers, plain)
	}
	if !ok || name != profile {
		headers = append(headers, grammar.KindProfile+" "+grammar.ShellQuote(profile))
	}
	return headers
}

// copiedOption is an option with the lines it stands on.
type copiedOption struct{ key, text string }

// copiedSections returns what counts of a profile in one file.
func (c *Config) copiedSections(f *file, key sectionKey) (options []copiedOption) {
	for i := range f.cli.Sections {
		s := &f.cli.Sections[i]
		if kind, name, ok := c.id(f, s.Name); ok && kind == key.kind && name == key.name {
			options = optionsWithout(f.cli, s) // the last one counts, as for the AWS CLI
		}
	}
	return options
}

// optionsWithout returns the options of a section that do not lead to credentials, without the lines that do for the
// other rule set.
func optionsWithout(d *grammar.Document, s *grammar.Section) (options []copiedOption) {
	type span struct{ start, end int }
	var secret []span
	all := d.Options(s)
	other := grammar.SdkOptions(grammar.ScanFrom(d.Text[:s.End], false, s.BodyStart, s.Line+1), s.Name)
	for _, reading := range [][]grammar.Option{all, other} {
		for _, o := range reading {
			if givesCredentials(o.Key) {
				secret = append(secret, span{o.Start, o.End})
			}
		}
	}
	for _, o := range all {
		if givesCredentials(o.Key) {
			continue
		}
		var kept strings.Builder
		var below, dropped bool // lines of a block
		lines := grammar.ScanFrom(d.Text[:o.End], d.LoneCR, o.Start, o.Line)
		for lines.Scan() {
			l := lines.Line
			if lines.Comment() || lines.Blank() ||
				slices.ContainsFunc(secret, func(x span) bool { return l.Start < x.end && x.start < l.Next }) {
				continue
			}
			if l.Start != o.Start && givesCredentials(keyIn(d.Text[l.First:l.Last])) {
				dropped = true
				continue
			}
			below = below || l.Start != o.Start
			from := l.Start
			if from == o.Start { // what follows is indented deeper, and what another file says may stand above
				from = l.First
			}
			kept.WriteString(strings.TrimRight(d.Text[from:l.Next], "\r\n") + "\n")
		}
		if kept.Len() > 0 && (below || !dropped) { // a block of which nothing is left is none
			options = append(options, copiedOption{o.Key, kept.String()})
		}
	}
	return options
}

// keyIn returns the key of a line in a block ("s3 =", or one of [services …]), where some reader might look for it.
func keyIn(line string) string {
	if i := strings.IndexAny(line, "=:"); i >= 0 {
		line = line[:i]
	}
	return strings.ToLower(strings.TrimSpace(line))
}

// checkCopy holds the outcome against both rule sets: where a file is so odd that a way to credentials is left, there
// is no copy of it.
func checkWithoutCredentials(path, text string) error {
	cli := grammar.ParseCLI(text)
	if cli.Broken != nil {
		return fault.New(fault.Config, "write every key of it at the beginning of its line",
			"%q: no copy without credentials can be made of it: %s", path, cli.Broken.Cause)
	}
	for _, d := range []*grammar.Document{cli, grammar.ParseSDK(text)} {
		for i := range d.Sections {
			for _, o := range d.Options(&d.Sections[i]) {
				if givesCredentials(o.Key) {
					return fault.New(
						fault.Config,
						"write every key of it at the beginning of its line",
						"%q: no copy without credentials can be made of it: %s would stay, since programs disagree "+
							"about where it belongs",
						path,
						o.Key,
					)
				}
			}
		}
	}
	return nil
}

// GivesCredentials reports whether a profile has a key that leads to credentials, by the rule set in use.
func GivesCredentials(p Profile) bool { return slices.ContainsFunc(p.Keys(), givesCredentials) }
