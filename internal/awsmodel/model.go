// Package awsmodel checks requests and answers against the service models that AWS publishes, the service-2.json
// files that botocore ships. It is for tests: of the emulator, that it answers nothing a typed client would drop or
// stumble over, and of homing, that it sends nothing the service does not know.
//
// It knows the models of sso-oidc, sso (the portal) and sts, their two protocols, and a short named list of what the
// real service answers beyond its model (extras.go). An explicit null counts as absent in an answer, since the
// service sends unset members that way, and as a wrong type in a request.
//
// The one rule: a problem is never dropped. Every Check returns all problems found, joined.
package awsmodel

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// Model is the published model of one service. It is read-only after Load, so safe for concurrent use.
type Model struct {
	Metadata struct {
		APIVersion   string `json:"apiVersion"`
		Protocol     string `json:"protocol"` // rest-json or query
		ServiceID    string `json:"serviceId"`
		XMLNamespace string `json:"xmlNamespace"` // of the query protocol
	} `json:"metadata"`
	Operations map[string]*operation `json:"operations"`
	Shapes     map[string]*shape     `json:"shapes"`

	service string // the name given to Load, which extras.go uses
}

type operation struct {
	HTTP struct {
		Method     string `json:"method"`
		RequestURI string `json:"requestUri"`
	} `json:"http"`
	Input    *ref   `json:"input"`
	Output   *ref   `json:"output"`
	Errors   []ref  `json:"errors"`
	AuthType string `json:"authtype"` // "none" for an unsigned operation
}

// ref names a shape from an operation, a member or a list.
type ref struct {
	Shape         string `json:"shape"`
	Location      string `json:"location"` // header, querystring, uri; "" is the body
	LocationName  string `json:"locationName"`
	ResultWrapper string `json:"resultWrapper"` // query protocol: the element around an output's members
}

type shape struct {
	Type     string          `json:"type"`
	Members  map[string]*ref `json:"members"`
	Required []string        `json:"required"`
	Member   *ref            `json:"member"` // of a list
	Enum     []string        `json:"enum"`
	Min      *float64        `json:"min"` // of a number, or of a string's length
	Max      *float64        `json:"max"`
	Error    *struct {
		Code           string `json:"code"` // query protocol; "" where it is the shape's name
		HTTPStatusCode int    `json:"httpStatusCode"`
	} `json:"error"`
	Exception bool `json:"exception"`
}

// Load reads the newest model of service ("sso-oidc", "sso" or "sts") from the botocore of `make setup`. Without it
// the test is skipped, or fails where CI is true.
func Load(t testing.TB, service string) *Model {
	t.Helper()
	pattern := filepath.Join(testtools.BotocoreData(t), service, "*", "service-2.json*")
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no model of %q: nothing matches %s", service, pattern)
	}
	m, err := read(files[len(files)-1]) // the folders are dates, so the last is the newest
	if err != nil {
		t.Fatalf("model of %q: %v", service, err)
	}
	m.service = service
	return m
}

func read(file string) (_ *Model, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	m := new(Model)
	if err := json.NewDecoder(r).Decode(m); err != nil {
		return nil, err
	}
	if len(m.Operations) == 0 || len(m.Shapes) == 0 {
		return nil, fmt.Errorf("%s: no operations or no shapes", file)
	}
	return m, nil
}

// Operation returns the name of the operation that r calls, by method and path, or by the Action parameter in the
// query protocol; "" for a request that belongs to no operation of this service. In the query protocol r's body is
// read and put back.
func (m *Model) Operation(r *http.Request) string {
	if m.Metadata.Protocol == "query" {
		return m.queryAction(r)
	}
	found := ""
	for name, op := range m.Operations {
		path, query, fixed := strings.Cut(op.HTTP.RequestURI, "?")
		if r.Method != op.HTTP.Method || r.URL.Path != path {
			continue
		}
		key, value, _ := strings.Cut(query, "=")
		if fixed && r.URL.Query().Get(key) == value {
			return name // /token?aws_iam=t is more exact than /token
		}
		if !fixed {
			found = name
		}
	}
	return found
}

// members returns the members of a structure shape; nil for no shape at all.
func (m *Model) members(r *ref) map[string]*ref {
	if r == nil || m.Shapes[r.Shape] == nil {
		return nil
	}
	return m.Shapes[r.Shape].Members
}

func (m *Model) required(r *ref) []string {
	if r == nil || m.Shapes[r.Shape] == nil {
		return nil
	}
	return m.Shapes[r.Shape].Required
}

func (r *ref) wireName(member string) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return member
}
