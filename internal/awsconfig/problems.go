package awsconfig

import (
	"fmt"
	"strings"
)

// Problem is something in the files that loads, and that programs read differently or a person would not expect.
type Problem struct {
	Path string // open it there to mend it
	Line int
	Msg  string // one sentence that does not repeat path and line
}

// Problems lists what is wrong or ambiguous in the two files, in the order of the files. The first entry is the reason
// why the AWS CLI cannot load a file, if there is one.
func (c *Config) Problems() []Problem {
	var found []Problem
	for i := range c.files {
		f := &c.files[i]
		if f.cli.broken != nil {
			found = append(found, f.problem(f.cli.broken.line, "the AWS CLI cannot load this file: %s", f.cli.broken.cause))
		}
	}
	for i := range c.files {
		f := &c.files[i]
		sdk := parseSDK(f.cli.text)
		if !f.credentials {
			found = append(found, f.headerProblems(sdk)...)
		}
		for j := range sdk.sections {
			found = append(found, f.valueProblems(sdk, &sdk.sections[j])...)
		}
	}
	return append(found, c.mixedCredentials()...)
}

func (f *file) problem(line int, format string, args ...any) Problem {
	return Problem{f.path, line, fmt.Sprintf(format, args...)}
}

// headerProblems finds headers that name different things for the two rule sets, and names that are there twice.
func (f *file) headerProblems(sdk *document) (found []Problem) {
	seen := make(map[sectionKey]int)
	for i := range sdk.sections {
		s := &sdk.sections[i]
		kind, name, ok := sdkID(s.name)
		j, inCLI := sectionAt(f.cli, s.start)
		if !inCLI {
			if f.cli.broken == nil {
				found = append(found, f.problem(s.line,
					"the SDKs take this for a header and the AWS CLI for a part of the value above, because it is indented deeper"))
			}
			continue
		}
		header := f.cli.sections[j].name
		cliKind, cliName, cliOK := cliID(header)
		if header == inherited {
			found = append(found, f.problem(s.line, "the AWS CLI lets every profile inherit what is below [DEFAULT], the SDKs do not"))
			continue
		}
		if ok != cliOK || kind != cliKind || name != cliName {
			found = append(found, f.problem(s.line, "for the AWS CLI this is %s, for the SDKs %s", named(cliKind, cliName, cliOK), named(kind, name, ok)))
			continue
		}
		key := sectionKey{kind, name}
		if before := seen[key]; ok && before > 0 && f.cli.broken == nil {
			found = append(found, f.problem(s.line, "%s %q is already on line %d, and programs do not use the same one", kind, name, before))
		}
		seen[key] = s.line
	}
	return found
}

func named(kind, name string, ok bool) string {
	if !ok {
		return "nothing"
	}
	return Section{kind, name}.String()
}

// valueProblems finds values that the two rule sets read differently. Values are not quoted: they may be secret.
func (f *file) valueProblems(sdk *document, s *section) (found []Problem) {
	i, ok := sectionAt(f.cli, s.start)
	if !ok {
		return nil
	}
	cli := f.cli.optionsOf(&f.cli.sections[i])
	j := 0
	for _, theirs := range sdk.optionsOf(s) {
		for j < len(cli) && cli[j].start < theirs.start {
			j++
		}
		switch {
		case j == len(cli) || cli[j].start != theirs.start:
			if f.cli.broken == nil {
				found = append(found, f.problem(theirs.line,
					"the AWS CLI takes this line for a part of the value above it, because it is indented deeper"))
			}
		case cli[j].nested || cli[j].value == theirs.value:
		case cutComment(cli[j].value) != cli[j].value || strings.HasPrefix(cli[j].value, "#") || strings.HasPrefix(cli[j].value, ";"):
			found = append(found, f.problem(theirs.line, "the AWS CLI takes the comment behind %s for a part of its value", theirs.key))
		case unquote(cli[j].value) != cli[j].value:
			found = append(found, f.problem(theirs.line, "the AWS CLI takes the quotes around the value of %s for a part of it", theirs.key))
		}
	}
	return found
}

// mixedCredentials finds profiles whose credentials depend on the program: the AWS CLI asks SSO first, then keys, then
// the process; the Go SDK keys, SSO, process; the JavaScript SDK keys, process, SSO.
func (c *Config) mixedCredentials() (found []Problem) {
	for _, name := range c.ProfileNames() {
		p, _ := c.lookUpIndexed(sectionKey{kindProfile, name})
		sso := p.Get("sso_session") != "" || p.Get("sso_account_id") != "" || p.Get("sso_role_name") != ""
		for _, key := range []string{"aws_access_key_id", "credential_process"} {
			if p.Get(key) == "" || !sso && (key != "credential_process" || p.Get("aws_access_key_id") == "") {
				continue
			}
			_, f := p.option(key)
			_, line := p.Where(key)
			other := "sso_ keys"
			if !sso {
				other = "aws_access_key_id"
			}
			found = append(found, f.problem(line, "profile %q has %s and %s, and programs do not agree which one wins", name, key, other))
		}
	}
	return found
}
