package awsconfig

import (
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
)

// givesCredentials reports whether a key is about where credentials come from or whose they are. What an SDK finds there
// it uses before it asks a container-credentials endpoint.
func givesCredentials(key string) bool {
	key = strings.TrimFunc(key, func(r rune) bool { return !portable(r) }) // a byte order mark, which some reader may drop
	if strings.HasPrefix(key, "sso_") || strings.HasPrefix(key, "aws_") {
		return true
	}
	switch key {
	case "credential_process", "credential_source", "role_arn", "source_profile", "role_session_name", "external_id",
		"mfa_serial", "duration_seconds", "web_identity_token_file", "web_identity_token", "login_session", "x_security_token_expires":
		return true
	}
	return false
}

// Bare returns a config file that has the settings of a profile (region, output, endpoints, s3 …) and no way to
// credentials: no key that leads to any, under either rule set, and no comment. Its [default] is the profile; it is there
// under its own name too. [DEFAULT], [services …] and [plugins] stay, other profiles do not: with nothing in them that
// leads to credentials, a program told to use one would act as the first.
//
// Lines that stay are copied as they are, so that every reader takes them for what it took them for before. The error is
// a *fault.Error of kind Config, for files that the AWS CLI cannot load or a profile that is not there.
func (c *Config) Bare(profile string) ([]byte, error) {
	if err := c.CLIError(); err != nil {
		return nil, err
	}
	if _, ok := c.Profile(profile); !ok {
		return nil, c.unknownProfile(profile, nil)
	}
	var settings, rest []string
	config := &c.files[0]
	own := c.bareSections(config, sectionKey{kindProfile, profile})
	for _, line := range c.bareSections(&c.files[1], sectionKey{kindProfile, profile}) { // those of the credentials file win
		own = slices.DeleteFunc(own, func(o bareOption) bool { return o.key == line.key })
		own = append(own, line)
	}
	for _, o := range own {
		settings = append(settings, o.text)
	}
	for i := range config.cli.sections {
		s := &config.cli.sections[i]
		kind, _, named := cliID(s.name)
		if named && kind != kindServices || !named && s.name != inherited && s.name != "plugins" {
			continue
		}
		rest = append(rest, "["+s.name+"]\n")
		for _, o := range config.cli.bare(s) {
			rest = append(rest, o.text)
		}
	}
	text := "[default]\n" + strings.Join(settings, "")
	for _, header := range bareHeaders(profile) {
		text += "[" + header + "]\n" + strings.Join(settings, "")
	}
	text += strings.Join(rest, "")
	return []byte(text), checkBare(config.path, text)
}

// bareHeaders are the headers below which every reader that can find the profile under its name does. A name with a space
// needs two: the AWS CLI wants it in quotes, and the SDKs take quotes for a part of it.
func bareHeaders(profile string) (headers []string) {
	if profile == "default" {
		return nil
	}
	plain := kindProfile + " " + profile
	_, name, ok := cliID(plain)
	if !ok || name == profile {
		headers = append(headers, plain)
	}
	if !ok || name != profile {
		headers = append(headers, kindProfile+" "+shellQuote(profile))
	}
	return headers
}

// bareOption is an option with the lines it stands on.
type bareOption struct{ key, text string }

// bareSections returns what counts of a profile in one file.
func (c *Config) bareSections(f *file, key sectionKey) (options []bareOption) {
	for i := range f.cli.sections {
		s := &f.cli.sections[i]
		if kind, name, ok := c.id(f, s.name); ok && kind == key.kind && name == key.name {
			options = f.cli.bare(s) // the last one counts, as for the AWS CLI
		}
	}
	return options
}

// bare returns the options of a section that do not lead to credentials, without the lines that do for the other rule set.
func (d *document) bare(s *section) (options []bareOption) {
	type span struct{ start, end int }
	var secret []span
	all := d.optionsOf(s)
	other := sdkOptions(scanFrom(d.text[:s.end], false, s.bodyStart, s.line+1), s.name)
	for _, reading := range [][]option{all, other} {
		for _, o := range reading {
			if givesCredentials(o.key) {
				secret = append(secret, span{o.start, o.end})
			}
		}
	}
	for _, o := range all {
		if givesCredentials(o.key) {
			continue
		}
		var kept strings.Builder
		var below, dropped bool // lines of a block
		lines := scanFrom(d.text[:o.end], d.bareCR, o.start, o.line)
		for lines.scan() {
			l := lines.line
			if lines.comment() || lines.blank() || slices.ContainsFunc(secret, func(x span) bool { return l.start < x.end && x.start < l.next }) {
				continue
			}
			if l.start != o.start && givesCredentials(keyIn(d.text[l.first:l.last])) {
				dropped = true
				continue
			}
			below = below || l.start != o.start
			from := l.start
			if from == o.start { // what follows is indented deeper, and what another file says may stand above
				from = l.first
			}
			kept.WriteString(strings.TrimRight(d.text[from:l.next], "\r\n") + "\n")
		}
		if kept.Len() > 0 && (below || !dropped) { // a block of which nothing is left is none
			options = append(options, bareOption{o.key, kept.String()})
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

// checkBare holds the outcome against both rule sets: where a file is so odd that a way to credentials is left, there is
// no copy of it.
func checkBare(path, text string) error {
	cli := parseCLI(text)
	if cli.broken != nil {
		return fault.New(fault.Config, "write every key of it at the beginning of its line",
			"%q: no copy without credentials can be made of it: %s", path, cli.broken.cause)
	}
	for _, d := range []*document{cli, parseSDK(text)} {
		for i := range d.sections {
			for _, o := range d.optionsOf(&d.sections[i]) {
				if givesCredentials(o.key) {
					return fault.New(fault.Config, "write every key of it at the beginning of its line",
						"%q: no copy without credentials can be made of it: %s would stay, since programs disagree about where it belongs", path, o.key)
				}
			}
		}
	}
	return nil
}

// GivesCredentials reports whether a profile has a key that leads to credentials, by the rule set in use.
func GivesCredentials(p Profile) bool { return slices.ContainsFunc(p.Keys(), givesCredentials) }
