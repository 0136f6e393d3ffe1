package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sigAlgorithm  = "AWS4-HMAC-SHA256"
	sigTimeFormat = "20060102T150405Z"
	sigWindow     = 5 * time.Minute // how far a signature's time may be off
)

// signature is a request's AWS Signature Version 4, from the Authorization header or the query (a presigned URL).
type signature struct {
	keyID, date, region, service, terminal string
	headers                                []string
	value                                  string
	at                                     string
	token                                  string
	presigned                              bool
	expires                                time.Duration // presigned only
}

// verifySignature returns the credentials that signed the request, or the code and text of STS's refusal.
func (s *Server) verifySignature(c *call) (rc *roleCredentials, code, text string) {
	sig, code, text := parseSignature(c.r)
	if code != "" {
		return nil, code, text
	}
	rc = s.st.keys[sig.keyID]
	if rc == nil || subtle.ConstantTimeCompare([]byte(sig.token), []byte(rc.token)) != 1 {
		return nil, "InvalidClientTokenId", "The security token included in the request is invalid."
	}
	if !c.now.Before(rc.expires) {
		return nil, "ExpiredToken", "The security token included in the request is expired"
	}
	const mismatch = "SignatureDoesNotMatch"
	switch {
	case sig.service != "sts":
		return nil, mismatch, "Credential should be scoped to correct service: 'sts'. "
	case sig.terminal != "aws4_request":
		return nil, mismatch, "Credential should be scoped with a valid terminator: 'aws4_request', not '" +
			sig.terminal + "'."
	case !strings.HasPrefix(sig.at, sig.date):
		return nil, mismatch, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from " +
			"HTTP: '" + sig.date + "' != '" + sig.at[:min(8, len(sig.at))] + "', from '" + sig.at + "'."
	case !slices.Contains(sig.headers, "host"):
		return nil, mismatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	}
	at, err := time.Parse(sigTimeFormat, sig.at)
	if err != nil {
		return nil, "IncompleteSignature", "Date must be in ISO-8601 'basic format'. Got '" + sig.at + "'. See http://en.wikipedia.org/wiki/ISO_8601"
	}
	if text := outsideWindow(at, s.wireTime(c.now).UTC(), sig); text != "" {
		return nil, mismatch, text
	}
	if subtle.ConstantTimeCompare([]byte(sig.value), []byte(sig.compute(c.r, c.body, rc.secret))) != 1 {
		return nil, mismatch, "The request signature we calculated does not match the signature you provided. Check " +
			"your AWS Secret Access Key and signing method. Consult the service documentation for details."
	}
	return rc, "", ""
}

func outsideWindow(at, now time.Time, sig signature) string {
	f := func(t time.Time) string { return t.Format(sigTimeFormat) }
	old := sigWindow
	if sig.presigned {
		old = sig.expires
	}
	switch {
	case at.Add(old).Before(now):
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)", f(at), f(now.Add(-old)),
			f(now), int(old.Minutes()))
	case at.After(now.Add(sigWindow)):
		return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)", f(at),
			f(now.Add(sigWindow)), f(now), int(sigWindow.Minutes()))
	}
	return ""
}

// parseSignature finds the signature of a request.
func parseSignature(r *http.Request) (sig signature, code, text string) {
	if q := r.URL.Query(); q.Get("X-Amz-Algorithm") == sigAlgorithm {
		seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
		if err != nil || seconds < 1 || seconds > 7*24*3600 {
			return sig, "IncompleteSignature", "X-Amz-Expires must be a number of seconds between 1 and 604800"
		}
		sig = signature{presigned: true, value: q.Get("X-Amz-Signature"), at: q.Get("X-Amz-Date"),
			token: q.Get("X-Amz-Security-Token"), headers: strings.Split(q.Get("X-Amz-SignedHeaders"), ";"),
			expires: time.Duration(seconds) * time.Second}
		text = sig.setScope(q.Get("X-Amz-Credential"), &code)
		return sig, code, text
	}
	auth := r.Header.Get("Authorization")
	if auth == "" {
		return sig, "MissingAuthenticationToken", "Request is missing Authentication Token"
	}
	rest, ok := strings.CutPrefix(auth, sigAlgorithm)
	if !ok {
		name, _, _ := strings.Cut(auth, " ")
		return sig, "IncompleteSignature", "Unsupported AWS 'algorithm': '" + name + "'"
	}
	parts := map[string]string{}
	for _, p := range strings.Split(rest, ",") {
		k, v, found := strings.Cut(strings.TrimSpace(p), "=")
		if !found {
			return sig, "IncompleteSignature", "'" + k + "' not a valid key=value pair (missing equal-sign) in " +
				"Authorization header"
		}
		parts[k] = v
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			return sig, "IncompleteSignature", "Authorization header requires '" + name + "' parameter."
		}
	}
	sig.headers, sig.value = strings.Split(parts["SignedHeaders"], ";"), parts["Signature"]
	sig.at, sig.token = r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Security-Token")
	if sig.at == "" {
		return sig, "IncompleteSignature", "Authorization header requires existence of either a 'X-Amz-Date' or a " +
			"'Date' header."
	}
	text = sig.setScope(parts["Credential"], &code)
	return sig, code, text
}

// setScope reads keyid/date/region/service/aws4_request.
func (sig *signature) setScope(credential string, code *string) (text string) {
	f := strings.Split(credential, "/")
	if len(f) != 5 {
		*code = "IncompleteSignature"
		return "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
			credential + "'"
	}
	sig.keyID, sig.date, sig.region, sig.service, sig.terminal = f[0], f[1], f[2], f[3], f[4]
	return ""
}

// compute returns the signature that secret gives for the request (AWS General Reference, Signature Version 4).
func (sig signature) compute(r *http.Request, body []byte, secret string) string {
	var head strings.Builder
	for _, name := range sig.headers {
		values := slices.Clone(r.Header.Values(name)) // the header is not ours to change
		switch {
		case name == "host":
			values = []string{or(r.Host, r.URL.Host)}
		case name == "content-length" && len(values) == 0:
			values = []string{strconv.Itoa(len(body))}
		}
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
		head.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	path := or(r.URL.EscapedPath(), "/")
	hash := sha256.Sum256(body)
	canonical := strings.Join([]string{r.Method, path, canonicalQuery(r.URL.RawQuery), head.String(),
		strings.Join(sig.headers, ";"), or(r.Header.Get("X-Amz-Content-Sha256"), hex.EncodeToString(hash[:]))}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{sig.date, sig.region, sig.service, sig.terminal}, "/")
	toSign := strings.Join([]string{sigAlgorithm, sig.at, scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{sig.date, sig.region, sig.service, sig.terminal, toSign} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// canonicalQuery sorts and re-encodes a query, without X-Amz-Signature.
func canonicalQuery(raw string) string {
	var pairs []string
	for _, p := range strings.Split(raw, "&") {
		k, v, _ := strings.Cut(p, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if p == "" || err1 != nil || err2 != nil || key == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, escapeSigV4(key)+"="+escapeSigV4(value))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escapeSigV4(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
