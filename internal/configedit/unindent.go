package configedit

import (
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// unindent takes the indentation of lines away that stand in the way of an edit: the AWS CLI takes them for a part of
// the value above, the SDKs for keys of their own.
//
//	[profile dev]
//	region = us-east-1
//	  output = json
//
// It does so where that makes the two agree and changes nothing for the SDKs: in a section that is edited, around a
// key that is, for keys that everybody knows. Whatever else is indented may be meant as the AWS CLI reads it.
func (e *editor) unindent() (string, bool) {
	var b strings.Builder
	from := 0
	for _, c := range e.changes {
		if c.cli < 0 || c.remove {
			continue
		}
		sdk := make(map[int]*grammar.Option)
		options := e.sdk.Options(&e.sdk.Sections[c.sdk])
		for i := range options {
			sdk[options[i].Start] = &options[i]
		}
		for _, o := range e.cli.Options(&e.cli.Sections[c.cli]) {
			lines, ok := e.swallowed(&o, sdk, options, c)
			if !ok {
				continue
			}
			indent := e.text[o.Start:e.firstOf(o.Start)]
			for _, l := range lines {
				b.WriteString(e.text[from:l.Start] + indent)
				from = l.First
			}
		}
	}
	b.WriteString(e.text[from:])
	out := b.String()
	return out, from > 0 && e.sameForSDKs(out)
}

// swallowed returns the lines that an option of the AWS CLI takes in although they are keys for the SDKs; false
// unless that is what all of them are, the SDKs use each of them, and c is about one. options are those of the SDKs,
// and sdk has them by where they start.
func (e *editor) swallowed(o *grammar.Option, sdk map[int]*grammar.Option, options []grammar.Option,
	c *change) (lines []grammar.Line, ok bool) {
	own := sdk[o.Start]
	meant := c.setting(o.Key) != nil
	used := func(k *grammar.Option) bool {
		return k.Value == e.text[k.ValStart:k.ValEnd] && grammar.Lookup(options, k.Key) == k
	}
	if !o.Multi || o.Nested || own == nil || own.Key != o.Key || !meant && !used(own) {
		return nil, false
	}
	s := grammar.ScanFrom(e.text[:o.End], false, e.nextLine(o.Start), 1)
	for s.Scan() {
		if s.Blank() || s.Comment() {
			continue
		}
		k := sdk[s.Line.Start]
		if k == nil || !wellKnown(k.Key) || !used(k) {
			return nil, false
		}
		meant = meant || c.setting(k.Key) != nil
		lines = append(lines, s.Line)
	}
	return lines, meant
}

// sameForSDKs reports whether the SDKs read out as they read the text.
func (e *editor) sameForSDKs(out string) bool {
	sdk := grammar.ParseSDK(out)
	if len(sdk.Sections) != len(e.sdk.Sections) {
		return false
	}
	for i := range sdk.Sections {
		b, a := &e.sdk.Sections[i], &sdk.Sections[i]
		if e.text[b.Start:b.End] != out[a.Start:a.End] &&
			(a.Name != b.Name || firstDifference(e.sdk.Options(b), sdk.Options(a), nil) > 0) {
			return false
		}
	}
	return true
}

// wellKnown reports keys of profiles and sessions that stand for nothing else.
func wellKnown(key string) bool {
	return slices.Contains(
		strings.Fields(`aws_access_key_id aws_secret_access_key aws_session_token ca_bundle cli_pager credential_process
		credential_source duration_seconds endpoint_url external_id login_session max_attempts mfa_serial output region
		retry_mode role_arn role_session_name sdk_ua_app_id services source_profile sso_account_id sso_region
		sso_registration_scopes sso_role_name sso_session sso_start_url web_identity_token_file`),
		key,
	)
}
