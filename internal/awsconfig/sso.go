package awsconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// SSOProfile is a profile that gets its credentials through IAM Identity Center.
type SSOProfile struct {
	Profile   string          // the profile that holds the sso_ keys
	Session   session.Session // what to sign in to
	AccountID string          // sso_account_id; empty, with RoleName, for a profile that only wants a bearer token
	RoleName  string          // sso_role_name
	Region    string          // region of the profile that was asked for; empty when it names none
	Output    string          // output of the profile that was asked for
	Via       []string        // the source_profile chain: the profile asked for first, Profile last
}

// NeedRole returns nil when the profile names an account and a role, and otherwise the *fault.Error for a command
// that fetches role credentials.
func (p SSOProfile) NeedRole() error {
	if p.AccountID != "" && p.RoleName != "" {
		return nil
	}
	return fault.Suggest(fault.Config, fault.ConfigureSSO{Profile: p.Profile},
		"profile %q has no sso_account_id and sso_role_name, so there is no role to get credentials for", p.Profile)
}

// SSO returns the SSO profile that stands behind a profile: the profile itself, or the end of the source_profile
// chain of a profile that assumes a role. Every error is a *fault.Error of kind Config with a remedy.
func (c *Config) SSO(profile string) (SSOProfile, error) {
	return c.sso(profile, c.Profile, c.sessionSection)
}

type finder func(name string) (Profile, bool)

func (c *Config) sessionSection(name string) (Profile, bool) {
	return c.lookUp(sectionKey{grammar.KindSession, name})
}

// indexed returns a finder that looks things up in the index of all sections.
func (c *Config) indexed(kind string) finder {
	return func(name string) (Profile, bool) { return c.lookUpIndexed(sectionKey{kind, name}) }
}

func (c *Config) sso(name string, profile, sessions finder) (SSOProfile, error) {
	var found SSOProfile
	for {
		p, ok := profile(name)
		if !ok {
			return SSOProfile{}, c.unknownProfile(name, found.Via)
		}
		if found.Via == nil {
			found.Region, found.Output = withoutComment(p.Get("region")), withoutComment(p.Get("output"))
		}
		found.Via = append(found.Via, name)
		source := p.Get("source_profile")
		if source == "" || source == name || p.Get("role_arn") == "" {
			found.Profile = name
			return found, c.ssoKeys(p, &found, sessions)
		}
		if err := plain(p, "source_profile"); err != nil {
			return SSOProfile{}, err
		}
		if slices.Contains(found.Via, source) {
			path, line := p.Where("source_profile")
			return SSOProfile{}, fault.Suggest(fault.Config, fault.Edit{File: path, Line: line},
				"profiles %s name each other as source_profile in a circle", quoteList(append(found.Via, source)))
		}
		name = source
	}
}

func quoteList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(quoted, " -> ")
}

func (c *Config) unknownProfile(name string, via []string) error {
	where := fmt.Sprintf("%q", c.files[0].path)
	if c.files[1].exists {
		where += fmt.Sprintf(" and %q", c.files[1].path)
	}
	if len(via) > 0 {
		from := via[len(via)-1]
		return fault.Suggest(fault.Config, fault.ConfigureSSO{Profile: name},
			"profile %q names source_profile %q, which is not in %s", from, name, where)
	}
	return &fault.Error{
		Kind: fault.Config, Remedy: orSimilar(fault.ConfigureSSO{Profile: name}, name, c.ProfileNames()),
		Msg: fmt.Sprintf("profile %q is not in %s", name, where),
	}
}

// ssoKeys fills in what profile p says about its sign-in.
func (c *Config) ssoKeys(p Profile, found *SSOProfile, sessions finder) error {
	has := func(key string) bool { v, ok := p.Lookup(key); return ok && v != "" }
	named, url := has("sso_session"), has("sso_start_url")
	account, role := has("sso_account_id"), has("sso_role_name")
	if !named && !url && !account && !role {
		return fault.Suggest(fault.Config, c.insteadOf(p),
			"profile %q does not use IAM Identity Center: it has neither sso_session nor sso_start_url%s", p.Name,
			other(p))
	}
	if err := plain(p, "sso_session", "sso_account_id", "sso_role_name"); err != nil {
		return err
	}
	var err error
	if named {
		err = c.sessionOf(p, found, sessions)
	} else {
		found.Session, err = legacySession(p)
	}
	if err != nil {
		return err
	}
	if account != role {
		missing, present := "sso_role_name", "sso_account_id"
		if role {
			missing, present = present, missing
		}
		return fault.Suggest(fault.Config, fault.ConfigureSSO{Profile: p.Name},
			"profile %q has %s but no %s", p.Name, present, missing)
	}
	found.AccountID, found.RoleName = p.Get("sso_account_id"), p.Get("sso_role_name")
	return nil
}

// insteadOf is the remedy for a profile without SSO. It leads nobody to write over a profile that has credentials; if
// those come from homing, the profile that homing is given is the one to use.
func (c *Config) insteadOf(p Profile) fault.Remedy {
	if words, ok := grammar.ShellWords(p.Get("credential_process")); ok && len(words) > 0 {
		for i, word := range words {
			name, found := strings.CutPrefix(word, "--profile=")
			if word == "--profile" && i+1 < len(words) {
				name, found = words[i+1], true
			}
			if _, there := c.Profile(name); found && there && name != p.Name {
				return fault.Preface{
					Words: "use the profile that its credential_process names:", Then: fault.Run{"--profile", name},
				}
			}
		}
	}
	for _, key := range []string{"credential_process", "aws_access_key_id", "login_session"} {
		if p.Get(key) != "" {
			return fault.Preface{Words: "for a profile of another name,", Then: fault.ConfigureSSO{Profile: "NAME"}}
		}
	}
	return fault.ConfigureSSO{Profile: p.Name}
}

// other says what a profile without SSO uses instead.
func other(p Profile) string {
	for _, key := range []string{"credential_process", "aws_access_key_id", "web_identity_token_file",
		"login_session", "credential_source"} {
		if _, ok := p.Lookup(key); ok {
			return " but " + key
		}
	}
	return ""
}

func (c *Config) sessionOf(p Profile, found *SSOProfile, sessions finder) error {
	name := p.Get("sso_session")
	if c.sdk {
		name = strings.TrimSpace(name)
	}
	s, ok := sessions(name)
	if !ok {
		path, line := p.Where("sso_session")
		return &fault.Error{
			Kind: fault.Config, Remedy: orSimilar(fault.ConfigureSession{Session: name}, name, c.SessionNames()),
			Msg: fmt.Sprintf("profile %q names sso-session %q (%q line %d), which the file does not have", p.Name,
				name, path, line),
		}
	}
	// botocore: any key that both have must be equal, whatever the key; else every command with the profile fails.
	for _, key := range s.Keys() {
		ours, here := p.Lookup(key)
		theirs, _ := s.Lookup(key)
		if here && ours != theirs {
			path, line := p.Where(key)
			_, sessionLine := s.Where(key)
			return fault.Suggest(fault.Config, fault.Edit{File: path, Line: line},
				"profile %q and sso-session %q disagree about %s (lines %d and %d), which the AWS CLI refuses",
				p.Name, name, key, line, sessionLine)
		}
	}
	var err error
	found.Session, err = sessionFrom(s)
	return err
}

// Session returns the [sso-session] of that name. A missing section or key is a *fault.Error of kind Config.
func (c *Config) Session(name string) (session.Session, error) {
	s, ok := c.sessionSection(name)
	if !ok {
		return session.Session{}, &fault.Error{
			Kind: fault.Config, Remedy: orSimilar(fault.ConfigureSession{Session: name}, name, c.SessionNames()),
			Msg: fmt.Sprintf("sso-session %q is not in %q", name, c.files[0].path),
		}
	}
	return sessionFrom(s)
}

func sessionFrom(s Profile) (session.Session, error) {
	found := session.Session{Name: s.Name}
	if err := required(s, "sso-session", fault.ConfigureSession{Session: s.Name}, &found); err != nil {
		return session.Session{}, err
	}
	if err := plain(s, "sso_registration_scopes"); err != nil {
		return session.Session{}, err
	}
	if raw, ok := s.Lookup("sso_registration_scopes"); ok {
		found.Scopes = []string{}
		for scope := range strings.SplitSeq(raw, ",") {
			if scope = grammar.PyStrip(scope); scope != "" {
				found.Scopes = append(found.Scopes, scope)
			}
		}
	}
	// aws-cli#9098: not released in any AWS CLI as of 2026-11, honoured when present.
	found.UseDeviceCode = strings.EqualFold(withoutComment(s.Get("sso_use_device_code")), "true")
	return found, nil
}

// legacySession returns the session of a profile that holds the start URL itself. Nothing reads its scopes.
func legacySession(p Profile) (session.Session, error) {
	var found session.Session
	err := required(p, "profile", fault.ConfigureSSO{Profile: p.Name}, &found)
	return found, err
}

func required(p Profile, kind string, remedy fault.Remedy, found *session.Session) error {
	if err := plain(p, "sso_start_url", "sso_region"); err != nil {
		return err
	}
	found.StartURL, found.Region = p.Get("sso_start_url"), p.Get("sso_region")
	switch {
	case found.StartURL == "" && found.Region == "":
		return fault.Suggest(fault.Config, remedy, "%s %q has neither sso_start_url nor sso_region", kind, p.Name)
	case found.StartURL == "":
		return fault.Suggest(fault.Config, remedy, "%s %q has no sso_start_url", kind, p.Name)
	case found.Region == "":
		return fault.Suggest(fault.Config, remedy, "%s %q has no sso_region", kind, p.Name)
	}
	return nil
}

// plain refuses values that the AWS CLI and the SDKs read differently: sign-in depends on these keys, and the name of
// the token file on two of them, so neither reading can be right for both.
func plain(p Profile, keys ...string) error {
	for _, key := range keys {
		o, f := p.Option(key)
		if o == nil {
			continue
		}
		if why := differs(o); why != "" {
			return fault.Suggest(fault.Config, fault.Edit{File: f.path, Line: o.Line},
				"%q: line %d: %s %s", f.path, o.Line, key, why)
		}
	}
	return nil
}

// differs says why the readers do not agree about an option's value; "" when they do. The value is not quoted.
func differs(o *grammar.Option) string {
	v := o.Value
	switch {
	case o.Nested:
		return "is a nested block, not a value"
	case strings.Contains(v, "\n"):
		return "goes on in the next line, because that is indented deeper; remove the spaces in front of it"
	case grammar.CutComment(v) != v || v != "" && (v[0] == '#' || v[0] == ';'):
		return "has a comment behind it, which the AWS CLI takes for a part of the value; give the comment a line " +
			"of its own"
	case grammar.Unquote(v) != v:
		return "stands in quotes, which the AWS CLI takes for a part of the value; remove them"
	}
	return ""
}

func withoutComment(v string) string { return grammar.PyStrip(grammar.CutComment(v)) }

// ProfilesOf returns the profiles that stand on a session, in the order of the files: those that name it (or, for a
// legacy one, its start URL) themselves, and not those that reach it by a source_profile.
func (c *Config) ProfilesOf(s session.Session) []SSOProfile {
	var found []SSOProfile
	profiles, sessions := c.indexed(grammar.KindProfile), c.indexed(grammar.KindSession)
	for _, name := range c.ProfileNames() {
		p, err := c.sso(name, profiles, sessions)
		if err == nil && p.Profile == name && p.Session.Name == s.Name &&
			(!s.Legacy() || p.Session.StartURL == s.StartURL) {
			found = append(found, p)
		}
	}
	return found
}

// Sessions returns the sessions that can be signed in to: every complete [sso-session] and then every distinct start
// URL of the legacy profiles, in the order of the file.
func (c *Config) Sessions() []session.Session {
	var found []session.Session
	sessions := c.indexed(grammar.KindSession)
	for _, name := range c.SessionNames() {
		if section, ok := sessions(name); ok {
			if s, err := sessionFrom(section); err == nil {
				found = append(found, s)
			}
		}
	}
	seen := make(map[string]bool)
	profiles := c.indexed(grammar.KindProfile)
	for _, name := range c.ProfileNames() {
		p, _ := profiles(name)
		if p.Get("sso_session") != "" || p.Get("sso_start_url") == "" {
			continue
		}
		if s, err := legacySession(p); err == nil && !seen[s.StartURL] {
			seen[s.StartURL] = true
			found = append(found, s)
		}
	}
	return found
}

// Service returns the endpoint that the files configure for a service of a profile: endpoint_url of the service's
// block in the profile's `services` section, else endpoint_url of the profile, else "". The service is named as in
// the file ("sso", "sso_oidc", "sts"); "" asks for the profile's own endpoint_url.
func (c *Config) Service(profile, service string) string {
	p, ok := c.Profile(profile)
	if !ok {
		return ""
	}
	if name := p.Get("services"); name != "" && service != "" {
		s, _ := c.lookUp(sectionKey{grammar.KindServices, name})
		if v, ok := s.Sub(service, "endpoint_url"); ok && v != "" {
			return withoutComment(v)
		}
	}
	return withoutComment(p.Get("endpoint_url"))
}

// ServiceEndpoints returns the endpoint_url of each block in the `services` section of a profile, by the block's name
// ("s3").
func (c *Config) ServiceEndpoints(profile string) map[string]string {
	p, ok := c.Profile(profile)
	if !ok || p.Get("services") == "" {
		return nil
	}
	found := map[string]string{}
	s, _ := c.lookUp(sectionKey{grammar.KindServices, p.Get("services")})
	for _, service := range s.Keys() {
		if v, ok := s.Sub(service, "endpoint_url"); ok && v != "" {
			found[service] = withoutComment(v)
		}
	}
	return found
}

// orSimilar puts the closest existing name in front of a remedy.
func orSimilar(remedy fault.Remedy, name string, names []string) fault.Remedy {
	best, distance := "", 1+len(name)/3
	for _, n := range slices.Sorted(maps.Keys(set(names))) {
		if d := editDistance(strings.ToLower(name), strings.ToLower(n), distance); d < distance ||
			d == distance && best == "" {
			best, distance = n, d
		}
	}
	if best == "" {
		return remedy
	}
	return fault.Preface{Words: fmt.Sprintf("did you mean %q? else", best), Then: remedy}
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// editDistance is Levenshtein's, or limit+1 as soon as it is sure to be larger.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
			least = min(least, next)
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
