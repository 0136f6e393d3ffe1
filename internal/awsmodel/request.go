package awsmodel

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// CheckRequest reports everything in r, whose body is given, that the model of op does not allow: method, path,
// unknown or missing members, wrong types, members in the wrong place, a signature where none belongs or none where
// one does.
func (m *Model) CheckRequest(op string, r *http.Request, body []byte) error {
	o := m.Operations[op]
	if o == nil {
		return fmt.Errorf("the model has no operation %q", op)
	}
	p := new(problems)
	path, fixed, _ := strings.Cut(o.HTTP.RequestURI, "?")
	if r.Method != o.HTTP.Method || r.URL.Path != path {
		p.addf("%s: %s %s, want %s %s", op, r.Method, r.URL.Path, o.HTTP.Method, path)
	}
	signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-")
	if unsigned := o.AuthType == "none"; unsigned && r.Header.Get("Authorization") != "" {
		p.addf("%s: header Authorization on an operation without a signature", op)
	} else if !unsigned && !signed {
		p.addf("%s: not signed", op)
	}
	if m.Metadata.Protocol == "query" {
		m.queryRequest(p, op, o, r, body)
		return p.err()
	}
	m.checkLocations(p, op, o, r, fixed)
	m.checkJSONBody(p, op, o, r, body)
	return p.err()
}

// checkLocations checks the members that travel in the query string and in headers.
func (m *Model) checkLocations(p *problems, op string, o *operation, r *http.Request, fixed string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.addf("%s: query string: %w", op, err)
	}
	if key, _, ok := strings.Cut(fixed, "="); ok {
		delete(query, key)
	}
	required := m.required(o.Input)
	members := m.members(o.Input)
	for _, name := range sorted(members) {
		member := members[name]
		at, wire := op+"."+name, member.wireName(name)
		var values []string
		switch member.Location {
		case "querystring":
			values = query[wire]
			delete(query, wire)
		case "header":
			values = r.Header.Values(wire)
		default:
			continue
		}
		if len(values) > 1 {
			p.addf("%s: stands %d times", at, len(values))
		}
		if len(values) == 0 || values[0] == "" {
			if slices.Contains(required, name) {
				p.addf("%s: is required and absent (%s %q)", at, member.Location, wire)
			}
			continue
		}
		switch s := m.Shapes[member.Shape]; s.Type {
		case "string":
			s.checkString(p, at, values[0])
		case "integer", "long":
			s.checkInteger(p, at, values[0])
		default:
			p.addf("%s: shapes of type %q in a %s are not covered by this package", at, s.Type, member.Location)
		}
	}
	for _, name := range sorted(query) {
		p.addf("%s: the model has no query parameter %q", op, name)
	}
}

func (m *Model) checkJSONBody(p *problems, op string, o *operation, r *http.Request, body []byte) {
	members := m.members(o.Input)
	inBody := 0
	for _, member := range members {
		if member.Location == "" {
			inBody++
		}
	}
	if inBody == 0 {
		if len(bytes.TrimSpace(body)) > 0 {
			p.addf("%s: has a body of %d bytes, want none", op, len(body))
		}
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		p.addf("%s: Content-Type is %q, want application/json", op, r.Header.Get("Content-Type"))
	}
	object, err := decodeObject(body)
	if err != nil {
		p.addf("%s: %w", op, err)
		return
	}
	m.object(p, op, object, members, m.required(o.Input), nil, false)
}

// bodyOf reads the body of r and puts it back.
func bodyOf(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}
