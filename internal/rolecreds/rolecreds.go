// Package rolecreds gives out the credentials of a role: from the cache that the AWS CLI uses too, or from the
// portal, once for however many processes ask. Signing in is left to others, renewing the token to internal/refresh,
// which it reaches through an interface: this package imports no network client, because Cached is on the path that
// every Terraform run and every kubectl call takes.
//
// The one rule: call Cached first, before anything is built that only a fetch needs.
package rolecreds

import (
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// DefaultMinTTL is what cached credentials must have left to be given out: botocore asks for others when less is
// left, and the AWS CLI uses its cache down to the same figure.
const DefaultMinTTL = 15 * time.Minute

// Cached returns the cached credentials for k, and whether they last longer than minTTL; the zero value if there are
// none. It reads one file, takes no lock, makes no request and never fails: Fetcher finds out what is wrong with the
// cache.
func Cached(st *store.Store, k store.RoleKey, minTTL time.Duration) (c session.RoleCredentials, lasts bool) {
	now := time.Now
	if st.Now != nil {
		now = st.Now
	}
	c, err := st.RoleCredentials(k)
	if err != nil || WellFormed(c) != nil { // as good as none: the next fetch overwrites them
		return session.RoleCredentials{}, false
	}
	return c, Lasts(c, minTTL, now())
}

// Lasts reports whether c is valid for longer than minTTL from now.
func Lasts(c session.RoleCredentials, minTTL time.Duration, now time.Time) bool {
	return c.Expiration.Sub(now) > max(minTTL, 0)
}

// WellFormed refuses credentials that a shell, a terminal or a JSON reader could take for more than a value: AWS's
// are base64 and capitals. All that this package gives out are well formed, whoever wrote the cache. The error is a
// *fault.Error of kind Unavailable that names the part.
func WellFormed(c session.RoleCredentials) error {
	for _, part := range [...]struct{ name, value string }{
		{"access key id", c.AccessKeyID}, {"secret access key", c.SecretAccessKey.Reveal()}, {"session token",
			c.SessionToken.Reveal()},
	} {
		if part.value == "" || strings.ContainsFunc(part.value, awkward) {
			return fault.New(fault.Unavailable, "try again, and look for a proxy that changes answers",
				"the service sent a malformed %s", part.name)
		}
	}
	return nil
}

func awkward(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("+/=_.:-", r)
}
