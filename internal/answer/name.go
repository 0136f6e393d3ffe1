package answer

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/session"
)

// ProfileName makes a usable name of a role's: some characters of role names break one tool or another.
func ProfileName(s string) string {
	return strings.Map(func(r rune) rune {
		if awsconfig.ValidName(string(r)) != nil {
			return '-'
		}
		return r
	}, s)
}

// generic are first labels of host names that tell nothing about whose they are.
var generic = []string{"start", "www", "sso", "login", "portal", "aws", "access", "identity"}

// SessionName makes a name for the session of s that nobody else has: what the start URL calls the organisation or the
// instance, so that it comes out the same on every machine. The region, then a number, tells two of them apart.
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

// instanceName is d-1234567890 of https://d-1234567890.awsapps.com/start, the directory's identifier where all have one
// host, and the whole host where its first label is as good as none.
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
