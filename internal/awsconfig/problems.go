package awsconfig

import (
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// Problem is something in the files that loads, and that programs read differently or a person would not expect.
type Problem struct {
	Path string // open it there to mend it
	Line int
	Msg  string // one sentence that does not repeat path and line
}

// Problems lists what is wrong or ambiguous in the two files, in the order of the files. The first entry is the
// reason why the AWS CLI cannot load a file, if there is one.
func (c *Config) Problems() []Problem {
	var found []Problem
	for i := range c.files {
		f := &c.files[i]
		if f.cli.Broken != nil {
			found = append(found,
				f.problem(f.cli.Broken.Line, "the AWS CLI cannot load this file: %s", f.cli.Broken.Cause))
		}
	}
	for i := range c.files {
		f := &c.files[i]
		sdk := grammar.ParseSDK(f.cli.Text)
		if !f.credentials {
			found = append(found, f.headerProblems(sdk)...)
		}
		for j := range sdk.Sections {
			found = append(found, f.valueProblems(sdk, &sdk.Sections[j])...)
		}
	}
	return append(found, c.mixedCredentials()...)
}

func (f *file) problem(line int, format string, args ...any) Problem {
	return Problem{f.path, line, fmt.Sprintf(format, args...)}
}

// headerProblems finds headers that name different things for the two rule sets, and names that are there twice.
func (f *file) headerProblems(sdk *grammar.Document) (found []Problem) {
	seen := make(map[sectionKey]int)
	for i := range sdk.Sections {
		s := &sdk.Sections[i]
		kind, name, ok := grammar.SdkID(s.Name)
		j, inCLI := grammar.SectionAt(f.cli, s.Start)
		if !inCLI {
			if f.cli.Broken == nil {
				found = append(found, f.problem(
					s.Line,
					"the SDKs take this for a header and the AWS CLI for a part of the value above, because it is "+
						"indented deeper",
				))
			}
			continue
		}
		header := f.cli.Sections[j].Name
		cliKind, cliName, cliOK := grammar.CliID(header)
		if header == grammar.DefaultSection {
			found = append(found,
				f.problem(s.Line, "the AWS CLI lets every profile inherit what is below [DEFAULT], the SDKs do not"))
			continue
		}
		if ok != cliOK || kind != cliKind || name != cliName {
			found = append(
				found,
				f.problem(s.Line, "for the AWS CLI this is %s, for the SDKs %s", named(cliKind, cliName, cliOK),
					named(kind, name, ok)),
			)
			continue
		}
		key := sectionKey{kind, name}
		if before := seen[key]; ok && before > 0 && f.cli.Broken == nil {
			found = append(
				found,
				f.problem(s.Line, "%s %q is already on line %d, and programs do not use the same one", kind, name,
					before),
			)
		}
		seen[key] = s.Line
	}
	return found
}

func named(kind, name string, ok bool) string {
	if !ok {
		return "nothing"
	}
	return fmt.Sprintf("%s %q", kind, name)
}

// valueProblems finds values that the two rule sets read differently. Values are not quoted: they may be secret.
func (f *file) valueProblems(sdk *grammar.Document, s *grammar.Section) (found []Problem) {
	i, ok := grammar.SectionAt(f.cli, s.Start)
	if !ok {
		return nil
	}
	cli := f.cli.Options(&f.cli.Sections[i])
	j := 0
	for _, theirs := range sdk.Options(s) {
		for j < len(cli) && cli[j].Start < theirs.Start {
			j++
		}
		switch {
		case j == len(cli) || cli[j].Start != theirs.Start:
			if f.cli.Broken == nil {
				found = append(found, f.problem(theirs.Line,
					"the AWS CLI takes this line for a part of the value above it, because it is indented deeper"))
			}
		case cli[j].Nested || cli[j].Value == theirs.Value:
		case grammar.CutComment(cli[j].Value) != cli[j].Value || strings.HasPrefix(cli[j].Value, "#") ||
			strings.HasPrefix(cli[j].Value, ";"):
			found = append(found,
				f.problem(theirs.Line, "the AWS CLI takes the comment behind %s for a part of its value", theirs.Key))
		case grammar.Unquote(cli[j].Value) != cli[j].Value:
			found = append(
				found,
				f.problem(theirs.Line, "the AWS CLI takes the quotes around the value of %s for a part of it",
					theirs.Key),
			)
		}
	}
	return found
}

// mixedCredentials finds profiles whose credentials depend on the program: the AWS CLI asks SSO first, then keys,
// then the process; the Go SDK keys, SSO, process; the JavaScript SDK keys, process, SSO.
func (c *Config) mixedCredentials() (found []Problem) {
	for _, name := range c.ProfileNames() {
		p, _ := c.lookUpIndexed(sectionKey{grammar.KindProfile, name})
		sso := p.Get("sso_session") != "" || p.Get("sso_account_id") != "" || p.Get("sso_role_name") != ""
		for _, key := range []string{"aws_access_key_id", "credential_process"} {
			if p.Get(key) == "" || !sso && (key != "credential_process" || p.Get("aws_access_key_id") == "") {
				continue
			}
			_, f := p.Option(key)
			_, line := p.Where(key)
			other := "sso_ keys"
			if !sso {
				other = "aws_access_key_id"
			}
			found = append(found,
				f.problem(line, "profile %q has %s and %s, and programs do not agree which one wins", name, key, other))
		}
	}
	return found
}
