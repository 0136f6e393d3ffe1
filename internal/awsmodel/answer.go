package awsmodel

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// CheckResponse reports everything in an answer to op that the model does not know: members that are unknown, missing
// or of the wrong type, an error type that op does not have, or one with the wrong status.
func (m *Model) CheckResponse(op string, status int, h http.Header, body []byte) error {
	o := m.Operations[op]
	if o == nil {
		return fmt.Errorf("the model has no operation %q", op)
	}
	p := new(problems)
	switch {
	case m.Metadata.Protocol == "query":
		m.queryAnswer(p, op, o, status, h, body)
	case status == http.StatusOK:
		m.success(p, op, o, h, body)
	default:
		m.refusal(p, op, o, status, h, body)
	}
	return p.err()
}

func (m *Model) success(p *problems, op string, o *operation, h http.Header, body []byte) {
	if o.Output == nil && len(body) == 0 {
		return
	}
	checkMedia(p, op, h, "application/json")
	object, err := decodeObject(body)
	if err != nil {
		p.addf("%s: %w", op, err)
		return
	}
	need := slices.Concat(m.required(o.Output), present[m.service+"/"+op])
	m.object(p, op, object, m.members(o.Output), need, extraMembers[m.service+"/"+op], true)
}

func (m *Model) refusal(p *problems, op string, o *operation, status int, h http.Header, body []byte) {
	checkMedia(p, op, h, "application/json")
	object, err := decodeObject(body)
	if err != nil {
		p.addf("%s: status %d: %w", op, status, err)
		return
	}
	typeName := errorType(h, object)
	if typeName == "" {
		p.addf("%s: status %d without an error type in x-amzn-ErrorType or the body", op, status)
		return
	}
	at := op + ": " + typeName
	want, known := m.errorStatus(o, typeName)
	if !known {
		p.addf("%s: the model has no such error", at)
		return
	}
	if status != want {
		p.addf("%s: status %d, want %d", at, status, want)
	}
	members := map[string]*ref{"message": {Shape: "ErrorDescription"}} // unmodelled types have this one
	if s := m.Shapes[typeName]; s != nil && s.Exception {
		members = s.Members
	}
	m.object(p, at, object, members, nil, extraMembers[m.service+"/error"], true)
	m.checkOAuthCode(p, at, typeName, members, object)
}

// checkOAuthCode compares the OAuth code of an OIDC refusal with the shape's name: AWS's names are the codes of RFC
// 6749, 7591 and 8628 in another spelling, and a client reads either. RFC 6749 has no code for a server fault.
func (m *Model) checkOAuthCode(p *problems, at, typeName string, members map[string]*ref, object map[string]any) {
	if members["error"] == nil {
		return
	}
	code, _ := object["error"].(string)
	if code == "" {
		p.addf("%s: no error code in the body", at)
		return
	}
	if want := snake(strings.TrimSuffix(typeName, "Exception")); code != want && typeName != "InternalServerException" {
		p.addf("%s: error is %q, want %q", at, code, want)
	}
}

// errorType returns the bare name of an error: the header's value up to ':', or the body's __type after '#'. The
// SDKs read them in this order.
func errorType(h http.Header, object map[string]any) string {
	name := header(h, "x-amzn-ErrorType")
	for _, key := range []string{"__type", "code"} {
		if name == "" {
			name, _ = object[key].(string)
		}
	}
	name, _, _ = strings.Cut(name, ":")
	if i := strings.LastIndexByte(name, '#'); i >= 0 {
		name = name[i+1:]
	}
	return name
}

// errorStatus returns the status that an error of the operation comes with.
func (m *Model) errorStatus(o *operation, code string) (status int, known bool) {
	for _, e := range o.Errors {
		s := m.Shapes[e.Shape]
		if s == nil || s.Error == nil {
			continue
		}
		if e.Shape == code || s.Error.Code != "" && s.Error.Code == code {
			return s.Error.HTTPStatusCode, true
		}
	}
	status, known = extraErrors[m.service][code]
	return status, known
}

func checkMedia(p *problems, op string, h http.Header, want string) {
	got := header(h, "Content-Type")
	if media, _, err := mime.ParseMediaType(got); err != nil || media != want {
		p.addf("%s: Content-Type is %q, want %s", op, got, want)
	}
}

// header returns the first value of a header in any spelling: a handler may have set it as the service spells it,
// past http.Header's own form.
func header(h http.Header, name string) string {
	for spelling, values := range h {
		if strings.EqualFold(spelling, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// snake turns InvalidRedirectUri into invalid_redirect_uri.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Errors returns the error types that the model gives op, with their HTTP status. It is nil for an unknown operation.
func (m *Model) Errors(op string) map[string]int {
	o := m.Operations[op]
	if o == nil {
		return nil
	}
	all := map[string]int{}
	for _, e := range o.Errors {
		if status, known := m.errorStatus(o, e.Shape); known {
			all[e.Shape] = status
		}
	}
	return all
}
