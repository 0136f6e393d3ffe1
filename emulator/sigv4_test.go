package emulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sso"

	"github.com/homing-cli/homing/emulator"
)

const identityForm = "Action=GetCallerIdentity&Version=2011-06-15"

// stsAnswer is STS's XML.
type stsAnswer struct {
	status  int
	code    string
	message string
	arn     string
}

func (c sdk) sts(t *testing.T, req *http.Request) stsAnswer {
	t.Helper()
	v := c.roundTrip(t, req)
	var body struct {
		XMLName xml.Name
		Type    string `xml:"Error>Type"`
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
		Arn     string `xml:"GetCallerIdentityResult>Arn"`
		ID      string `xml:"RequestId"`
		ID2     string `xml:"ResponseMetadata>RequestId"`
	}
	if err := xml.Unmarshal([]byte(v.body), &body); err != nil {
		t.Fatalf("%v in %q", err, v.body)
	}
	if body.XMLName.Space != "https://sts.amazonaws.com/doc/2011-06-15/" || v.header.Get("Content-Type") != "text/xml" ||
		body.ID+body.ID2 != v.header.Get("X-Amzn-Requestid") {
		t.Errorf("frame of the answer: %s", v.body)
	}
	return stsAnswer{v.status, body.Code, body.Message, body.Arn}
}

func TestGetCallerIdentityChecksTheSignature(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	token := c.signIn(t).AccessToken
	out, err := c.portal.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token,
		AccountId: aws.String("444455556666"), RoleName: aws.String("Developer")})
	if err != nil {
		t.Fatal(err)
	}
	good := aws.Credentials{AccessKeyID: *out.RoleCredentials.AccessKeyId,
		SecretAccessKey: *out.RoleCredentials.SecretAccessKey,
		SessionToken:    *out.RoleCredentials.SessionToken}
	ctx := t.Context()
	signed := func(creds aws.Credentials, service, region string, at time.Time, body string) *http.Request {
		return signedPost(ctx, t, c.base, creds, service, region, at, body)
	}
	now := time.Now().UTC()
	const arn = "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Developer_"

	for _, at := range []time.Time{now, now.Add(-4 * time.Minute), now.Add(4 * time.Minute)} {
		if got := c.sts(t, signed(good, "sts", "eu-west-3", at, identityForm)); got.status != 200 ||
			!strings.HasPrefix(got.arn, arn) || !strings.HasSuffix(got.arn, "/ada") {
			t.Fatalf("good signature of %v: %+v", at, got)
		}
	}

	change := func(creds aws.Credentials, f func(*aws.Credentials)) aws.Credentials { f(&creds); return creds }
	mismatch := stsAnswer{403, "SignatureDoesNotMatch", "The request signature we calculated does not match the " +
		"signature you provided. Check your AWS Secret Access Key and signing method. Consult the service " +
		"documentation for details.", ""}
	invalid := stsAnswer{403, "InvalidClientTokenId", "The security token included in the request is invalid.", ""}
	plain := signed(good, "sts", "us-east-1", now, identityForm)
	plain.Header.Del("Authorization")
	for _, tc := range []struct {
		name string
		req  *http.Request
		want stsAnswer
	}{
		{"none", plain, stsAnswer{403, "MissingAuthenticationToken", "Request is missing Authentication Token", ""}},
		{"another secret", signed(change(good, func(c *aws.Credentials) { c.SecretAccessKey += "x" }), "sts",
			"us-east-1", now, identityForm), mismatch},
		{"another key id", signed(change(good, func(c *aws.Credentials) { c.AccessKeyID = "ASIAAAAAAAAAAAAAAAAA" }),
			"sts", "us-east-1", now, identityForm), invalid},
		{"another session token", signed(change(good, func(c *aws.Credentials) { c.SessionToken += "x" }), "sts",
			"us-east-1", now, identityForm), invalid},
		{"no session token", signed(change(good, func(c *aws.Credentials) { c.SessionToken = "" }), "sts", "us-east-1",
			now, identityForm), invalid},
		{"signed for another service", signed(good, "s3", "us-east-1", now, identityForm),
			stsAnswer{403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ", ""}},
		{"body changed", replaceBody(signed(good, "sts", "us-east-1", now, identityForm), identityForm+"&x=y"),
			mismatch},
		{"header changed", replaceHeader(signed(good, "sts", "us-east-1", now, identityForm), "Content-Type",
			"application/x-www-form-urlencoded;x"), mismatch},
		{"signature cut off", replaceHeader(signed(good, "sts", "us-east-1", now, identityForm), "Authorization",
			"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host"),
			stsAnswer{400, "IncompleteSignature", "Authorization header requires 'Signature' parameter.", ""}},
		{"credential without scope", replaceHeader(signed(good, "sts", "us-east-1", now, identityForm), "Authorization",
			"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, SignedHeaders=host, Signature=00"),
			stsAnswer{400, "IncompleteSignature", "Credential must have exactly 5 slash-delimited elements, e.g. " +
				"keyid/date/region/service/term, got 'AKIDEXAMPLE'", ""}},
		{"no date", replaceHeader(signed(good, "sts", "us-east-1", now, identityForm), "X-Amz-Date", ""),
			stsAnswer{400, "IncompleteSignature", "Authorization header requires existence of either a 'X-Amz-Date' " +
				"or a 'Date' header.", ""}},
		{"another action", signed(good, "sts", "us-east-1", now, "Action=AssumeRole&Version=2011-06-15"),
			stsAnswer{400, "InvalidAction", "Could not find operation AssumeRole for version 2011-06-15", ""}},
		{"another version", signed(good, "sts", "us-east-1", now, "Action=GetCallerIdentity&Version=2012-01-01"),
			stsAnswer{400, "InvalidAction", "Could not find operation GetCallerIdentity for version 2012-01-01", ""}},
	} {
		if got := c.sts(t, tc.req); got != tc.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}

	for at, want := range map[time.Time]string{now.Add(-6 * time.Minute): "Signature expired: ",
		now.Add(6 * time.Minute): "Signature not yet current: "} {
		got := c.sts(t, signed(good, "sts", "us-east-1", at, identityForm))
		if got.status != 403 || got.code != "SignatureDoesNotMatch" || !strings.HasPrefix(got.message,
			want+at.Format("20060102T150405Z")+" is ") || !strings.Contains(got.message, " 5 min.)") {
			t.Errorf("signed %v away: %+v", at.Sub(now), got)
		}
	}
	c.emu.Change(func(s *emulator.Server) { s.ClockSkew = -10 * time.Minute })
	if got := c.sts(t, signed(good, "sts", "us-east-1", now, identityForm)); !strings.HasPrefix(got.message,
		"Signature not yet current") {
		t.Errorf("service ten minutes behind: %+v", got)
	}
	if got := c.sts(t, signed(good, "sts", "us-east-1", now.Add(-10*time.Minute), identityForm)); got.status != 200 {
		t.Errorf("service and client ten minutes behind: %+v", got)
	}
	c.emu.Change(func(s *emulator.Server) { s.ClockSkew = 0 })
	c.emu.Advance(time.Hour)
	if got, want := c.sts(t, signed(good, "sts", "us-east-1", now.Add(time.Hour), identityForm)),
		(stsAnswer{403, "ExpiredToken", "The security token included in the request is expired", ""}); got != want {
		t.Errorf("after an hour: %+v", got)
	}
}

func TestGetCallerIdentityByPresignedURL(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	out, err := c.portal.GetRoleCredentials(t.Context(),
		&sso.GetRoleCredentialsInput{AccessToken: c.signIn(t).AccessToken,
			AccountId: aws.String("444455556666"), RoleName: aws.String("Developer")})
	if err != nil {
		t.Fatal(err)
	}
	creds := aws.Credentials{AccessKeyID: *out.RoleCredentials.AccessKeyId,
		SecretAccessKey: *out.RoleCredentials.SecretAccessKey,
		SessionToken:    *out.RoleCredentials.SessionToken}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/?"+identityForm+"&X-Amz-Expires=60",
		nil)
	if err != nil {
		t.Fatal(err)
	}
	signedURL, _, err := v4.NewSigner().PresignHTTP(t.Context(), creds, req, hash(""), "sts", "us-east-1",
		time.Now().UTC())
	if err != nil {
		t.Fatal(err)
	}
	get := func(u string) stsAnswer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.sts(t, req)
	}
	if got := get(signedURL); got.status != 200 || got.arn == "" {
		t.Errorf("presigned: %+v", got)
	}
	if got := get(signedURL + "&x=y"); got.code != "SignatureDoesNotMatch" {
		t.Errorf("presigned and changed: %+v", got)
	}
	c.emu.Advance(2 * time.Minute)
	if got := get(signedURL); !strings.HasPrefix(got.message, "Signature expired") {
		t.Errorf("presigned for a minute, two later: %+v", got)
	}
}

func signedPost(ctx context.Context, t *testing.T, base string, creds aws.Credentials, service, region string,
	at time.Time, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := v4.NewSigner().SignHTTP(ctx, creds, req, hash(body), service, region, at); err != nil {
		t.Fatal(err)
	}
	return req
}

func hash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func replaceBody(req *http.Request, body string) *http.Request {
	out := req.Clone(req.Context())
	fresh, err := http.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), strings.NewReader(body))
	if err == nil {
		out.Body, out.ContentLength = fresh.Body, fresh.ContentLength
	}
	return out
}

func replaceHeader(req *http.Request, name, value string) *http.Request {
	req.Header.Set(name, value)
	return req
}

// identity is a well signed GetCallerIdentity with the credentials of the token's first account and role.
func (c sdk) identity(t *testing.T, token *string) *http.Request {
	t.Helper()
	out, err := c.portal.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token,
		AccountId: aws.String("444455556666"), RoleName: aws.String("Developer")})
	if err != nil {
		t.Fatal(err)
	}
	creds := aws.Credentials{AccessKeyID: *out.RoleCredentials.AccessKeyId,
		SecretAccessKey: *out.RoleCredentials.SecretAccessKey,
		SessionToken:    *out.RoleCredentials.SessionToken}
	return signedPost(t.Context(), t, c.base, creds, "sts", "us-east-1", time.Now().UTC(), identityForm)
}
