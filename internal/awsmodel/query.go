package awsmodel

import (
	"bytes"
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The query protocol, as far as STS needs it: form parameters in, XML out.

func (m *Model) queryAction(r *http.Request) string {
	if r.Method != http.MethodPost || r.URL.Path != "/" && r.URL.Path != "" {
		return ""
	}
	body, err := bodyOf(r)
	if err != nil {
		return ""
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || m.Operations[form.Get("Action")] == nil {
		return ""
	}
	return form.Get("Action")
}

func (m *Model) queryRequest(p *problems, op string, o *operation, r *http.Request, body []byte) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil ||
		media != "application/x-www-form-urlencoded" {
		p.addf("%s: Content-Type is %q, want application/x-www-form-urlencoded", op, r.Header.Get("Content-Type"))
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		p.addf("%s: body: %w", op, err)
		return
	}
	if form.Get("Action") != op {
		p.addf("%s: Action is %q", op, form.Get("Action"))
	}
	if form.Get("Version") != m.Metadata.APIVersion {
		p.addf("%s: Version is %q, want %q", op, form.Get("Version"), m.Metadata.APIVersion)
	}
	members := m.members(o.Input)
	for _, name := range sorted(form) {
		first, _, _ := strings.Cut(name, ".") // Tags.member.1.Key belongs to Tags
		if name != "Action" && name != "Version" && members[first] == nil {
			p.addf("%s.%s: the model has no such member", op, name)
		}
	}
	for _, name := range m.required(o.Input) {
		if !slices.ContainsFunc(sorted(form), func(key string) bool {
			return key == name || strings.HasPrefix(key,
				name+".")
		}) {
			p.addf("%s.%s: is required and absent", op, name)
		}
	}
}

// element is an XML element with its children.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

func (e *element) child(name string) *element {
	for i := range e.Children {
		if e.Children[i].XMLName.Local == name {
			return &e.Children[i]
		}
	}
	return nil
}

func (m *Model) queryAnswer(p *problems, op string, o *operation, status int, h http.Header, body []byte) {
	checkMedia(p, op, h, "text/xml")
	var root element
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&root); err != nil {
		p.addf("%s: body is not XML: %w", op, err)
		return
	}
	if len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
		p.addf("%s: body has more after the XML element", op)
	}
	if root.XMLName.Space != m.Metadata.XMLNamespace {
		p.addf("%s: namespace is %q, want %q", op, root.XMLName.Space, m.Metadata.XMLNamespace)
	}
	if status != http.StatusOK {
		m.queryRefusal(p, op, o, status, &root)
		return
	}
	expect(p, op, &root, op+"Response", o.Output.ResultWrapper, "ResponseMetadata")
	if metadata := root.child("ResponseMetadata"); metadata != nil {
		expect(p, op, metadata, "ResponseMetadata", "RequestId")
	}
	result := root.child(o.Output.ResultWrapper)
	if result == nil {
		return
	}
	members := m.members(o.Output)
	for i := range result.Children {
		name := result.Children[i].XMLName.Local
		member := members[name]
		switch {
		case member == nil:
			p.addf("%s.%s: the model has no such member", op, name)
		case m.Shapes[member.Shape].Type == "string":
			m.Shapes[member.Shape].checkString(p, op+"."+name, result.Children[i].Text)
		default:
			p.addf("%s.%s: shapes of type %q in XML are not covered by this package", op, name,
				m.Shapes[member.Shape].Type)
		}
	}
	for _, name := range slices.Concat(m.required(o.Output), present[m.service+"/"+op]) {
		if result.child(name) == nil {
			p.addf("%s.%s: is required and absent", op, name)
		}
	}
}

func (m *Model) queryRefusal(p *problems, op string, o *operation, status int, root *element) {
	expect(p, op, root, "ErrorResponse", "Error", "RequestId")
	detail := root.child("Error")
	if detail == nil {
		return
	}
	expect(p, op, detail, "Error", "Type", "Code", "Message")
	code := detail.child("Code")
	if code == nil {
		return
	}
	if want, known := m.errorStatus(o, code.Text); !known {
		p.addf("%s: the model has no error %q", op, code.Text)
	} else if status != want {
		p.addf("%s: %s: status %d, want %d", op, code.Text, status, want)
	}
}

// expect reports an element of another name, and children other than the named ones.
func expect(p *problems, op string, e *element, name string, children ...string) {
	if e.XMLName.Local != name {
		p.addf("%s: element %s, want %s", op, e.XMLName.Local, name)
	}
	for i := range e.Children {
		if local := e.Children[i].XMLName.Local; !slices.Contains(children, local) {
			p.addf("%s: element %s in %s is unknown", op, local, name)
		}
	}
	for _, child := range children {
		if e.child(child) == nil {
			p.addf("%s: element %s is absent from %s", op, child, name)
		}
	}
}
