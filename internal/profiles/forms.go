package profiles

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// The keys of a managed profile. A profile holds nothing else as long as nobody changes it.
const (
	keySession = "sso_session"
	keyURL     = "sso_start_url"
	keySSO     = "sso_region"
	keyAccount = "sso_account_id"
	keyRole    = "sso_role_name"
	keyProcess = "credential_process"
	keyRegion  = "region"
	keyOutput  = "output"
)

// managed are all of them.
var managed = []string{keySession, keyURL, keySSO, keyAccount, keyRole, keyProcess, keyRegion, keyOutput}

// forms knows what a profile of each form says.
type forms struct {
	session session.Session
	form    Form // "" leaves a profile its own
	program string
	region  string // what the sso-session says itself; "" is nothing
	output  string
}

func newForms(cfg *awsconfig.Config, o Options) (forms, error) {
	f := forms{session: o.Session, form: o.Form, program: o.Program}
	switch o.Form {
	case "", FormLegacy:
	case FormSession, FormProcess:
		if o.Session.Legacy() {
			return f, fault.Suggest(fault.Usage,
				fault.Preface{Words: "use: --form legacy, or make a session:", Then: fault.ConfigureSession{}},
				"profiles of form %q need an sso-session, and %q is a start URL", o.Form, o.Session.StartURL)
		}
	default:
		return f, fault.New(fault.Usage, "use one of: --form sso-session, --form legacy, --form credential_process",
			"there is no form %q", string(o.Form))
	}
	if o.Form == FormProcess && commandLine(o.Program) == "" {
		return f, fault.New(fault.Usage, "use: --form sso-session",
			"the path of this program, %q, cannot be written as a credential_process", o.Program)
	}
	if o.Session.Legacy() {
		return f, nil
	}
	return f, f.checkSession(cfg)
}

// checkSession refuses a file whose session is not the one that was listed. A key that session and profile both have
// must be equal for the AWS CLI, whatever the key.
func (f *forms) checkSession(cfg *awsconfig.Config) error {
	there, err := cfg.Session(f.session.Name)
	if err != nil {
		return err
	}
	if there.StartURL != f.session.StartURL || there.Region != f.session.Region {
		return fault.New(fault.Config, "run the command again", "sso-session %q in %q is another one by now",
			f.session.Name, cfg.ConfigPath())
	}
	section, _ := cfg.SessionSection(f.session.Name)
	f.region, f.output = section.Get(keyRegion), section.Get(keyOutput)
	for _, key := range []string{keyAccount, keyRole, keySession} {
		if path, line := section.Where(key); path != "" {
			return fault.New(fault.Config, fmt.Sprintf("remove line %d of %s", line, path),
				"%q: line %d: sso-session %q has %s, so the AWS CLI refuses every profile that says otherwise", path,
				line, f.session.Name, key)
		}
	}
	return nil
}

// of returns the form that a profile gets: the one that was asked for, else the one it has, else the usual one.
func (f *forms) of(has *present) Form {
	switch {
	case f.form != "":
		return f.form
	case has != nil && has.access.form != "" && (has.access.form == FormLegacy || !f.session.Legacy()) &&
		(has.access.form != FormProcess || commandLine(f.program) != ""):
		return has.access.form
	case f.session.Legacy():
		return FormLegacy
	}
	return FormSession
}

// keys returns what a profile says. region and output are what defaults say, or "".
func (f *forms) keys(g Grant, has *present, region, output string) []configedit.KeyValue {
	var kv []configedit.KeyValue
	put := func(key, value string) { kv = append(kv, configedit.KeyValue{Key: key, Value: value}) }
	form := f.of(has)
	switch form {
	case FormSession:
		put(keySession, f.session.Name)
	case FormLegacy:
		put(keyURL, f.session.StartURL)
		put(keySSO, f.session.Region)
	case FormProcess:
		put(keyProcess, FormProcessLine(f.program, f.session.Name, g))
	}
	if form != FormProcess {
		put(keyAccount, g.Account.ID)
		put(keyRole, g.Role)
	}
	present := func(key string) string {
		if has == nil {
			return ""
		}
		return has.Get(key)
	}
	// Without a region the AWS CLI asks 169.254.169.254 for one, which no laptop has, and which answers nonsense in a
	// codespace. The region of the Identity Center is at least one that the organisation uses.
	region = first(region, present(keyRegion), f.session.Region)
	output = first(output, present(keyOutput))
	if form == FormSession {
		region, output = first(f.region, region), first(f.output, output)
	}
	put(keyRegion, region)
	if output != "" {
		put(keyOutput, output)
	}
	return kv
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// difference returns the edit that makes profile p say kv, and whether there is anything to do.
func difference(p awsconfig.Profile, kv []configedit.KeyValue) (set []configedit.KeyValue, unset []string) {
	for _, want := range kv {
		if v, ok := p.Lookup(want.Key); !ok || v != want.Value {
			set = append(set, want)
		}
	}
	for _, key := range managed {
		if _, ok := p.Lookup(key); ok &&
			!slices.ContainsFunc(kv, func(w configedit.KeyValue) bool { return w.Key == key }) {
			unset = append(unset, key)
		}
	}
	return set, unset
}

// FormProcessLine is the credential_process for a grant. It is taken apart alike by Python's shlex (botocore), by sh
// -c (the Go and JavaScript SDKs) and, for a path of Windows, by its command line.
func FormProcessLine(program, sessionName string, g Grant) string {
	return commandLine(program) + " credentials --sso-session " + quote(sessionName) +
		" --account-id " + g.Account.ID + " --role-name " + g.Role
}

// commandLine writes the path of a program at the beginning of a command line; "" for one that is not absolute or
// that no config file can hold.
func commandLine(program string) string {
	if strings.ContainsFunc(program, func(r rune) bool {
		return unicode.IsControl(r) || r == unicode.ReplacementChar || r == 0x2028 || r == 0x2029 ||
			unicode.Is(unicode.Bidi_Control, r)
	}) {
		return ""
	}
	if windowsPath(program) {
		if !strings.ContainsFunc(program, func(r rune) bool { return r != '\\' && special(r) }) {
			return program
		}
		if strings.ContainsAny(program, `"%`) || strings.Contains(program, " #") || strings.Contains(program, " ;") {
			return ""
		}
		return `"` + program + `"`
	}
	if !strings.HasPrefix(program, "/") {
		return ""
	}
	return quote(program)
}

// windowsPath reports whether a path is an absolute one of Windows: C:\… or \\server\….
func windowsPath(p string) bool {
	return len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') || strings.HasPrefix(p, `\\`)
}

// special reports whether a shell may see more in r than r.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_-/.@:+,", r)
}

// quote writes a word for a shell. Inside single quotes every character is itself; " #" is parted by a quote that
// ends and one that begins, since the SDKs would take what follows for a comment of the config file.
func quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, special) {
		return word
	}
	word = strings.ReplaceAll(word, "'", `'\''`)
	for _, blank := range []string{" ", "\t"} {
		for _, mark := range []string{"#", ";"} {
			word = strings.ReplaceAll(word, blank+mark, blank+"''"+mark)
		}
	}
	return "'" + word + "'"
}
