package answer

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/session"
)

// ProfileName returns s with a hyphen for each character that some AWS tool cannot read in a profile name. Role names
// may have such characters.
func ProfileName(s string) string {
	return strings.Map(func(r rune) rune {
		if configedit.ValidName(string(r)) != nil {
			return '-'
		}
		return r
	}, s)
}

// generic lists first labels of host names that do not identify an organisation.
var generic = []string{"start", "www", "sso", "login", "portal", "aws", "access", "identity"}

// SessionName returns a name for s that is not in taken. It comes from the organisation or instance in the start URL,
// so it is the same on every machine. If that name is taken, the region is added, or else a number.
func SessionName(s session.Session, taken []string) string {
	base := ProfileName(instanceName(s.StartURL))
	free := func(name string) bool { return !slices.Contains(taken, name) }
	switch {
	case free(base):
		return base
	case free(base + "-" + s.Region):
		return base + "-" + s.Region
	}
	for n := 2; ; n++ {
		if name := base + "-" + strconv.Itoa(n); free(name) {
			return name
		}
	}
}

// instanceName returns the first label of the start URL's host: "d-1234567890" for
// https://d-1234567890.awsapps.com/start. If that label is generic, it returns the directory's identifier on a host
// that AWS shares between directories, and the whole host elsewhere.
func instanceName(startURL string) string {
	u, err := url.Parse(startURL)
	if err != nil || u.Hostname() == "" {
		return "sso"
	}
	host := strings.ToLower(u.Hostname())
	first, rest, dotted := strings.Cut(host, ".")
	switch {
	case net.ParseIP(host) != nil, !dotted:
		return "sso"
	case !slices.Contains(generic, first):
		return first
	case strings.HasSuffix(rest, "awsapps.com"), strings.HasSuffix(rest, "awsapps.cn"):
		if _, id, ok := strings.Cut(u.Path, "/directory/"); ok && strings.Trim(id, "/") != "" {
			return strings.Trim(id, "/")
		}
	}
	return host
}
