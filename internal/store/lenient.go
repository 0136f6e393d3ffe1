package store

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// member is one name and value of a JSON object, the value as it stood in the file.
type member struct {
	name string
	raw  json.RawMessage
}

// object is a JSON object in the order of its file. Of members with the same name the last value counts, as in Python.
type object []member

func (o object) get(name string) json.RawMessage {
	for _, m := range o {
		if m.name == name {
			return m.raw
		}
	}
	return nil
}

// text returns a member that is a string; "" for null, for anything else, and when it is missing.
func (o object) text(name string) string {
	var s string
	if raw := o.get(name); len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// texts returns a member that is an array of strings, nil otherwise.
func (o object) texts(name string) []string {
	var list []string
	if raw := o.get(name); len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// when returns a member that is a point in time, the zero time when it is none.
func (o object) when(name string) time.Time {
	raw := o.get(name)
	if len(raw) > 0 && raw[0] != '"' {
		return parseTime(string(raw))
	}
	return parseTime(o.text(name))
}

// parseObject reads the JSON object that data begins with. Programs that write in place leave the rest of a longer
// file, or of another writer's text, behind their own (botocore#3213, aws-cli#9632), so what follows the first whole
// object is ignored, a byte order mark before it too. whole is false when the object does not end: then the members
// that do end are returned, none of them cut short.
func parseObject(data []byte) (o object, whole bool) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	at := map[string]int{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return o, false
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return o, false
		}
		if n := raw[0]; dec.InputOffset() >= int64(len(data)) && (n == '-' || n >= '0' && n <= '9') {
			return o, false // a number at the very end may have lost its last digits
		}
		if i, again := at[name.(string)]; again {
			o[i].raw = raw
			continue
		}
		at[name.(string)] = len(o)
		o = append(o, member{name.(string), raw})
	}
	_, err := dec.Token()
	return o, err == nil
}

// layouts are the forms of a time that AWS's programs write, after the zone has been brought into the form ±hh:mm or Z.
// Fractions of a second, of any length, are accepted by time.Parse behind the seconds of any layout.
var layouts = []string{
	time.RFC3339,                // AWS CLI, Go, Rust; JavaScript, .NET, Java with fractions; Ruby with an offset
	"2006-01-02T15:04:05",       // no zone: UTC
	"2006-01-02T15:04:05Z0700",  // ISO 8601 basic offset
	"2006-01-02T15:04:05Z07",    // hours only
	"2006-01-02T15:04Z07:00",    // no seconds (Java's ISO_OFFSET_DATE_TIME leaves out zeros)
	"20060102T150405Z",          // ISO 8601 basic
	"2006-01-02T15:04:05 Z0700", // Python's %z behind a blank
}

// parseTime reads a time leniently; the zero time when it cannot. Numbers are seconds since 1970, or milliseconds when
// they are too large for that. The AWS CLI before 2.1.15 wrote "UTC" for "Z".
func parseTime(s string) time.Time {
	s = strings.ToUpper(strings.TrimSpace(s))
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return fromEpoch(f)
	}
	for _, zone := range []string{"UTC", "GMT"} {
		if rest, ok := strings.CutSuffix(s, zone); ok {
			s = strings.TrimSpace(rest) + "Z"
		}
	}
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// fromEpoch takes seconds, or milliseconds from the year 5138 of seconds on. Nonsense gives the zero time.
func fromEpoch(f float64) time.Time {
	if f >= 1e11 {
		f /= 1000
	}
	if !(f > 0 && f < 253402300800) { // the year 10000; NaN fails both
		return time.Time{}
	}
	sec := int64(f)
	return time.Unix(sec, int64((f-float64(sec))*1e9)).UTC()
}

// stamp writes t in the one form that every SDK reads: whole seconds, UTC, Z (Rust refuses offsets, Go and JavaScript
// the suffix UTC). It rounds down, so nothing seems to live longer than it does.
func stamp(t time.Time) string {
	if t.UTC().Year() > 9999 {
		return "9999-12-31T23:59:59Z"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// ascii returns raw on one line with everything beyond ASCII escaped, so that a value that another program wrote in
// UTF-8 or with line breaks fits into our files.
func ascii(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return "null"
	}
	var out strings.Builder
	for _, r := range b.String() { // only strings hold more than printable ASCII, so escaping needs no parsing
		switch {
		case r <= '~':
			out.WriteRune(r)
		case r > 0xffff:
			writeEscape(&out, 0xd800+(r-0x10000)>>10)
			writeEscape(&out, 0xdc00+(r-0x10000)&0x3ff)
		default:
			writeEscape(&out, r)
		}
	}
	return out.String()
}
