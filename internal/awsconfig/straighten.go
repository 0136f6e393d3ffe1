package awsconfig

import (
	"slices"
	"strings"
)

// straighten takes the indentation of lines away that stand in the way of an edit: the AWS CLI takes them for a part of
// the value above, the SDKs for keys of their own.
//
//	[profile dev]
//	region = us-east-1
//	  output = json
//
// It does so where that makes the two agree and changes nothing for the SDKs: in a section that is edited, around a key
// that is, for keys that everybody knows. Whatever else is indented may be meant as the AWS CLI reads it.
func (e *editor) straighten() (string, bool) {
	var b strings.Builder
	from := 0
	for _, c := range e.changes {
		if c.cli < 0 || c.remove {
			continue
		}
		sdk := make(map[int]*option)
		options := e.sdk.optionsOf(&e.sdk.sections[c.sdk])
		for i := range options {
			sdk[options[i].start] = &options[i]
		}
		for _, o := range e.cli.optionsOf(&e.cli.sections[c.cli]) {
			lines, ok := e.swallowed(&o, sdk, options, c)
			if !ok {
				continue
			}
			indent := e.text[o.start:e.firstOf(o.start)]
			for _, l := range lines {
				b.WriteString(e.text[from:l.start] + indent)
				from = l.first
			}
		}
	}
	b.WriteString(e.text[from:])
	out := b.String()
	return out, from > 0 && e.straight(out)
}

// swallowed returns the lines that an option of the AWS CLI takes in although they are keys for the SDKs; false unless
// that is what all of them are, the SDKs use each of them, and c is about one. options are those of the SDKs, and sdk has
// them by where they start.
func (e *editor) swallowed(o *option, sdk map[int]*option, options []option, c *change) (lines []line, ok bool) {
	own := sdk[o.start]
	meant := c.setting(o.key) != nil
	used := func(k *option) bool { return k.value == e.text[k.valStart:k.valEnd] && lookup(options, k.key) == k }
	if !o.multi || o.nested || own == nil || own.key != o.key || !meant && !used(own) {
		return nil, false
	}
	s := scanFrom(e.text[:o.end], false, e.nextLine(o.start), 1)
	for s.scan() {
		if s.blank() || s.comment() {
			continue
		}
		k := sdk[s.line.start]
		if k == nil || !wellKnown(k.key) || !used(k) {
			return nil, false
		}
		meant = meant || c.setting(k.key) != nil
		lines = append(lines, s.line)
	}
	return lines, meant
}

// straight reports whether the SDKs read out as they read the text.
func (e *editor) straight(out string) bool {
	sdk := parseSDK(out)
	if len(sdk.sections) != len(e.sdk.sections) {
		return false
	}
	for i := range sdk.sections {
		b, a := &e.sdk.sections[i], &sdk.sections[i]
		if e.text[b.start:b.end] != out[a.start:a.end] && (a.name != b.name || firstDifference(e.sdk.optionsOf(b), sdk.optionsOf(a), nil) > 0) {
			return false
		}
	}
	return true
}

// wellKnown reports keys of profiles and sessions that stand for nothing else.
func wellKnown(key string) bool {
	return slices.Contains(strings.Fields(`aws_access_key_id aws_secret_access_key aws_session_token ca_bundle cli_pager credential_process
		credential_source duration_seconds endpoint_url external_id login_session max_attempts mfa_serial output region
		retry_mode role_arn role_session_name sdk_ua_app_id services source_profile sso_account_id sso_region
		sso_registration_scopes sso_role_name sso_session sso_start_url web_identity_token_file`), key)
}
