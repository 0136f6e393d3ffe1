package awsmodel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// problems collects what is wrong, each with the place it was found in.
type problems struct{ errs []error }

func (p *problems) addf(format string, a ...any) { p.errs = append(p.errs, fmt.Errorf(format, a...)) }

func (p *problems) err() error { return errors.Join(p.errs...) }

// decodeObject reads one JSON object, numbers as written. Unlike encoding/json it refuses a duplicate key and
// anything after the object: clients differ in what they make of those.
func decodeObject(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := decodeValue(d)
	if err != nil {
		return nil, fmt.Errorf("body is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("body has more after the JSON value")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("body is %s, not an object", kind(v))
	}
	return object, nil
}

func decodeValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("key %q stands twice", name)
			}
			if object[name], err = decodeValue(d); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// kind names the JSON type of v, never its value: bodies carry secrets.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}

// value checks v against a shape. nullable is true in answers, where null is an absent member.
func (m *Model) value(p *problems, where, shapeName string, v any, nullable bool) {
	s := m.Shapes[shapeName]
	if s == nil {
		p.addf("%s: the model has no shape %q", where, shapeName)
		return
	}
	switch s.Type {
	case "structure":
		object, ok := v.(map[string]any)
		if !ok {
			p.addf("%s: is %s, want an object", where, kind(v))
			return
		}
		need := slices.Concat(s.Required, presentIn[m.service+"/"+shapeName])
		m.object(p, where, object, s.Members, need, nil, nullable)
	case "list":
		list, ok := v.([]any)
		if !ok {
			p.addf("%s: is %s, want a list", where, kind(v))
			return
		}
		for i, element := range list {
			m.value(p, fmt.Sprintf("%s[%d]", where, i), s.Member.Shape, element, nullable)
		}
	case "string":
		text, ok := v.(string)
		if !ok {
			p.addf("%s: is %s, want a string", where, kind(v))
			return
		}
		s.checkString(p, where, text)
	case "integer", "long":
		number, ok := v.(json.Number)
		if !ok {
			p.addf("%s: is %s, want a number", where, kind(v))
			return
		}
		s.checkInteger(p, where, number.String())
	case "boolean":
		if _, ok := v.(bool); !ok {
			p.addf("%s: is %s, want a boolean", where, kind(v))
		}
	default:
		p.addf("%s: shapes of type %q are not covered by this package", where, s.Type)
	}
}

// object checks the members of a JSON object. Names are compared exactly, as the SDKs do.
func (m *Model) object(p *problems, where string, object map[string]any, members map[string]*ref, need []string,
	extras map[string]string, nullable bool) {
	byWire := map[string]*ref{}
	for name, r := range members {
		if r.Location == "" {
			byWire[r.wireName(name)] = r
		}
	}
	for _, name := range sorted(object) {
		v, at := object[name], where+"."+name
		known := byWire[name]
		switch {
		case v == nil && nullable && (known != nil || extras[name] != ""):
		case known != nil:
			m.value(p, at, known.Shape, v, nullable)
		case extras[name] == "string":
			if _, ok := v.(string); !ok {
				p.addf("%s: is %s, want a string", at, kind(v))
			}
		default:
			p.addf("%s: the model has no such member", at)
		}
	}
	for _, name := range need {
		if r := members[name]; r != nil && r.Location == "" && object[r.wireName(name)] == nil {
			p.addf("%s.%s: is required and absent", where, r.wireName(name))
		}
	}
}

func (s *shape) checkString(p *problems, where, text string) {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		p.addf("%s: is none of %s", where, strings.Join(s.Enum, ", "))
	}
	if n := float64(len([]rune(text))); s.Min != nil && n < *s.Min || s.Max != nil && n > *s.Max {
		p.addf("%s: has a length outside the model's limits", where)
	}
}

func (s *shape) checkInteger(p *problems, where, text string) {
	bits := 64
	if s.Type == "integer" {
		bits = 32
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		p.addf("%s: is not a whole number of %d bits", where, bits)
		return
	}
	if s.Min != nil && float64(n) < *s.Min || s.Max != nil && float64(n) > *s.Max {
		p.addf("%s: %d is outside the model's limits", where, n)
	}
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
