package emulator

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// SecretMarker is part of every secret a Server issues: client secrets, device codes, authorization codes, access and
// refresh tokens, secret access keys, session tokens, portal cookies. A test that finds it in a log, on a terminal or
// in a file that should hold none has found a leak. It fits every alphabet the service uses.
const SecretMarker = "EMULATEDSECRET"

var (
	rawURL = base64.RawURLEncoding
	rawStd = base64.RawStdEncoding
)

// random returns n random bytes. s.mu is held.
func (s *Server) random(n int) []byte {
	src := s.Rand
	if src == nil {
		src = rand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(src, b); err != nil {
		panic("emulator: Rand: " + err.Error())
	}
	return b
}

// letters returns n letters drawn from alphabet, which has at most 256 of them.
func (s *Server) letters(n int, alphabet string) string {
	var b strings.Builder
	for _, v := range s.random(n) {
		b.WriteByte(alphabet[int(v)%len(alphabet)])
	}
	return b.String()
}

// mark overwrites the characters of secret from position at with SecretMarker, keeping its length.
func mark(secret string, at int) string {
	return secret[:at] + SecretMarker + secret[at+len(SecretMarker):]
}

// uuid returns a random UUID (RFC 9562 version 4) in lower case, as request ids are.
func (s *Server) uuid() string {
	b := s.random(16)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// clientID is base64url, without padding, of 16 random bytes followed by the region's name.
func (s *Server) clientID() string {
	return rawURL.EncodeToString(append(s.random(16), s.region()...))
}

// userCodeAlphabet has no vowels, so that no code spells a word.
const userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ"

func (s *Server) userCode() string {
	c := s.letters(8, userCodeAlphabet)
	return c[:4] + "-" + c[4:]
}

// deviceCode is 86 characters: base64url of 64 bytes.
func (s *Server) deviceCode() string { return mark(rawURL.EncodeToString(s.random(64)), 16) }

// secretKeyIDs name the key that signs client secrets in each region where it was seen, the same from 2019 to 2026.
// Elsewhere us-east-1's has to do, as does codeKeyID for authorization codes.
var secretKeyIDs = map[string]string{
	"us-east-1": secretKeyID, "us-west-2": "key-1566968136", "eu-west-1": "key-1566968013",
}

const (
	secretKeyID = "key-1564028099"
	codeKeyID   = "key-1564028078"
)

// jwt signs payload the way client secrets and authorization codes are signed: HS384, 64 characters of signature.
// SecretMarker starts the signature.
func (s *Server) jwt(keyID string, payload any) string {
	head := `{"kid":"` + keyID + `","alg":"HS384"}`
	signed := rawURL.EncodeToString([]byte(head)) + "." + rawURL.EncodeToString(marshal(payload))
	mac := hmac.New(sha512.New384, s.st.key)
	mac.Write([]byte(signed))
	return signed + "." + mark(rawURL.EncodeToString(mac.Sum(nil)), 0)
}

// authorizationCode is a JWT of 243 characters.
func (s *Server) authorizationCode(expires time.Time) string {
	return s.jwt(codeKeyID, struct {
		Plaintext string `json:"plaintext"`
		Exp       int64  `json:"exp"`
		Type      string `json:"type"`
	}{rawURL.EncodeToString(s.random(32)), expires.Unix(), "authCode"})
}

// accessToken and refreshToken look like "aoaAAAAA…:MGUC…": 92 characters of base64url, a colon, and an ECDSA P-384
// signature in unpadded standard base64, which holds '+' and '/'.
func (s *Server) accessTokenValue() string  { return s.bearer("aoaAAAAA") }
func (s *Server) refreshTokenValue() string { return s.bearer("aorAAAAA") }

func (s *Server) bearer(prefix string) string {
	body := prefix + rawURL.EncodeToString(s.random(63)) // 8 + 84 characters
	r, sig := s.derInteger(), s.derInteger()
	der := append([]byte{0x30, byte(len(r) + len(sig))}, append(r, sig...)...)
	b := []byte(rawStd.EncodeToString(der))
	b[40], b[80] = '+', '/'
	return mark(body, 12) + ":" + string(b)
}

// derInteger is a random positive 48-byte INTEGER; a set top bit needs a zero byte before it (X.690 8.3).
func (s *Server) derInteger() []byte {
	n := s.random(48)
	if n[0]&0x80 != 0 {
		n = append([]byte{0}, n...)
	}
	return append([]byte{2, byte(len(n))}, n...)
}

// roleKeys returns an access key id, a secret access key and a session token.
func (s *Server) roleKeys() (id, secret, token string) {
	id = "ASIA" + s.letters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
	secret = mark(base64.StdEncoding.EncodeToString(s.random(30)), 13)
	token = "IQoJb3JpZ2luX2Vj" + mark(base64.StdEncoding.EncodeToString(s.random(694)), 24)
	return id, secret, token
}

// cookie returns the value of a portal cookie or ticket.
func (s *Server) cookie() string { return mark(rawURL.EncodeToString(s.random(48)), 8) }

// seal returns a token that only this Server can make for the given parts: for CSRF fields and page tokens.
func (s *Server) seal(parts ...string) string {
	mac := hmac.New(sha512.New384, s.st.key)
	for _, p := range parts {
		fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return rawURL.EncodeToString(mac.Sum(nil)[:24])
}

// clientSecret is a JWT that holds the whole registration as JSON text, as the service's does: 1,700 characters and
// about 400 more for each scope.
func (s *Server) clientSecret(c *client) string {
	type scope struct {
		FullScope     string  `json:"fullScope"`
		Status        string  `json:"status"`
		FriendlyID    string  `json:"friendlyId"`
		UseCaseAction string  `json:"useCaseAction"`
		ScopeType     string  `json:"scopeType"`
		Type          string  `json:"type"`
		ResourceARN   *string `json:"resourceArn"`
		ContainerARN  *string `json:"containerArn"`
		Description   string  `json:"description"`
	}
	type value struct {
		Value string `json:"value"`
	}
	reg := struct {
		ClientID             value    `json:"clientId"`
		IdempotentKey        *string  `json:"idempotentKey"`
		TenantID             *string  `json:"tenantId"`
		ClientName           string   `json:"clientName"`
		BackfillVersion      string   `json:"backfillVersion"`
		ClientType           string   `json:"clientType"`
		TemplateARN          *string  `json:"templateArn"`
		TemplateContext      *string  `json:"templateContext"`
		ExpirationTimestamp  float64  `json:"expirationTimestamp"`
		CreatedTimestamp     float64  `json:"createdTimestamp"`
		UpdatedTimestamp     float64  `json:"updatedTimestamp"`
		CreatedBy            *string  `json:"createdBy"`
		UpdatedBy            *string  `json:"updatedBy"`
		Status               *string  `json:"status"`
		InitiateLoginURI     *string  `json:"initiateLoginUri"`
		EntitledResourceID   *string  `json:"entitledResourceId"`
		EntitledContainerID  *string  `json:"entitledResourceContainerId"`
		ExternalID           *string  `json:"externalId"`
		SoftwareID           *string  `json:"softwareId"`
		SoftwareVersion      *string  `json:"softwareVersion"`
		LogoURI              *string  `json:"logoUri"`
		Scopes               []scope  `json:"scopes"`
		AuthenticationConfig *string  `json:"authenticationConfiguration"`
		ShadowConfig         *string  `json:"shadowAuthenticationConfiguration"`
		EnabledGrants        []string `json:"enabledGrants"`
		RedirectURIs         []string `json:"redirectUris"`
		EnforceConfig        *bool    `json:"enforceAuthNConfiguration"`
		OwnerAccountID       *string  `json:"ownerAccountId"`
		InstanceAccountID    *string  `json:"ssoInstanceAccountId"`
		IssuerURL            string   `json:"issuerUrl"`
		UserConsent          *string  `json:"userConsent"`
		NonInteractive       *bool    `json:"nonInteractiveSessionsEnabled"`
		AssociatedInstance   *string  `json:"associatedInstanceArn"`
		GroupByFriendlyID    bool     `json:"groupScopesByFriendlyId"`
		ValueFromTemplate    bool     `json:"shouldGetValueFromTemplate"`
		HasInitialScopes     bool     `json:"hasInitialScopes"`
		HasRequestedScopes   bool     `json:"hasRequestedScopes"`
		AllConsented         bool     `json:"areAllScopesConsentedTo"`
		OnlySSOScopes        bool     `json:"containsOnlySsoScopes"`
		SSOScopes            []string `json:"ssoScopes"`
		V1Backfill           bool     `json:"isV1Backfill"`
		V2Backfill           bool     `json:"isV2Backfill"`
		Backfilled           bool     `json:"isBackfilled"`
		Expired              bool     `json:"isExpired"`
	}{
		ClientID: value{c.id}, ClientName: c.name, BackfillVersion: "NONE", ClientType: "PUBLIC",
		ExpirationTimestamp: float64(c.expires.Unix()), CreatedTimestamp: float64(c.issued.Unix()),
		UpdatedTimestamp: float64(c.issued.Unix()), Scopes: []scope{}, EnabledGrants: c.grants,
		RedirectURIs: c.redirects, IssuerURL: c.issuer, HasInitialScopes: len(c.scopes) > 0,
		HasRequestedScopes: len(c.scopes) > 0, OnlySSOScopes: len(c.scopes) > 0, SSOScopes: []string{},
	}
	for _, name := range c.scopes {
		head, action, _ := strings.Cut(name, ":")
		reg.Scopes = append(reg.Scopes, scope{FullScope: name, Status: "INITIAL", FriendlyID: head,
			UseCaseAction: action, ScopeType: "Access_Scope", Type: "Immutable_Access_Scope",
			Description: "Lets the client act within " + name})
	}
	return s.jwt(or(secretKeyIDs[s.region()], secretKeyID), struct {
		Serialized string `json:"serialized"`
	}{string(marshal(reg))})
}

// marshal is json.Marshal for values of our own, which cannot fail, without the escaping of <, > and &.
func marshal(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("emulator: " + err.Error())
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
