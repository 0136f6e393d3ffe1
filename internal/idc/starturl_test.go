package idc

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

// startURLs are the forms of start URLs, the region each names, and whether AWS serves it, dual-stack or not.
var startURLs = []struct {
	url, region string
	aws, dual   bool
}{
	{"https://d-1234567890.awsapps.com/start", "", true, false},
	{"https://d-1234567890.awsapps.com/start#", "", true, false},
	{"https://acme.awsapps.com/start/#/", "", true, false},
	{"https://start.us-gov-home.awsapps.com/directory/d-1234567890", "", true, false},
	{"https://start.us-gov-west-1.us-gov-home.awsapps.com/directory/d-1234567890", "", true, false},
	{"https://start.home.awsapps.cn/directory/d-1234567890", "", true, false},
	{"https://ssoins-1234.portal.eu-central-1.app.aws", "eu-central-1", true, true},
	{"https://SSOINS-1234.Portal.EU-Central-1.App.AWS/", "eu-central-1", true, true},
	{"https://ssoins-1234.portal.us-gov-west-1.app.aws:443/start?x#y", "us-gov-west-1", true, true},
	{"https://ssoins-1234.portal.cn-north-1.app.amazonwebservices.com.cn", "cn-north-1", true, true},
	{"https://ssoins-1234.portal.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1", true, true},
	{"https://ssoins-1234.us-east-2.portal.amazonaws.com", "us-east-2", true, false},
	{"https://ssoins-1234.us-east-2.portal.amazonaws.com./", "us-east-2", true, false},
	{"https://ssoins-1234.cn-northwest-1.portal.amazonaws.com.cn", "cn-northwest-1", true, false},
	{"https://ssoins-1234.eusc-de-east-1.portal.amazonaws.eu", "eusc-de-east-1", true, false},
	{"https://identitycenter.amazonaws.com/ssoins-1234", "", true, false},
	{"https://identitycenter.amazonaws.com.cn/ssoins-1234", "", true, false},
	{"https://identitycenter.us-gov.amazonaws.com/ssoins-1234", "", true, false},
	{"https://identitycenter.amazonaws.eu/ssoins-1234", "", true, false},
	{"https://sso.acme.example", "", false, false},
	{"https://awsapps.com.acme.example/start", "", false, false},
	{"https://notawsapps.com/start", "", false, false},
	{"https://x.portal.us-east-1.app.aws.acme.example", "", false, false},
	{"https://amazonaws.com/start", "", false, false},
	{"https://portal.us-east-1.app.aws", "", true, false},
	{"https://a.b.portal.us-east-1.app.aws", "", true, false},
	{"https://x.portal.somewhere.app.aws", "", true, false},
	{"http://127.0.0.1:8080/start", "", false, false},
	{"http://[::1]:8080/start", "", false, false},
	{"http://localhost/start", "", false, false},
}

func TestStartURLForms(t *testing.T) {
	t.Parallel()
	for _, tt := range startURLs {
		if err := ValidStartURL(tt.url); err != nil {
			t.Errorf("ValidStartURL(%q) = %v", tt.url, err)
		}
		if got := RegionOf(tt.url); got != tt.region {
			t.Errorf("RegionOf(%q) = %q, want %q", tt.url, got, tt.region)
		}
		if got := AWSHost(tt.url); got != tt.aws {
			t.Errorf("AWSHost(%q) = %t, want %t", tt.url, got, tt.aws)
		}
		if got := dualStack(tt.url); got != tt.dual {
			t.Errorf("dualStack(%q) = %t, want %t", tt.url, got, tt.dual)
		}
	}
}

func TestInvalidStartURL(t *testing.T) {
	t.Parallel()
	for url, msg := range map[string]string{
		"":                                      `the start URL is empty`,
		"d-1234567890.awsapps.com/start":        `the start URL "d-1234567890.awsapps.com/start" must begin with https://`,
		"http://d-1234567890.awsapps.com/start": `the start URL "http://d-1234567890.awsapps.com/start" must begin with https://`,
		"http://127.0.0.1.evil.example/start":   `the start URL "http://127.0.0.1.evil.example/start" must begin with https://`,
		"javascript:alert(1)":                   `the start URL "javascript:alert(1)" must begin with https://`,
		"https://":                              `the start URL "https://" names no host`,
		"https:///start":                        `the start URL "https:///start" names no host`,
		"https://x.example/a b":                 `the start URL "https://x.example/a b" is not a URL`,
		"https://x.example/\x1b[2J":             `the start URL "https://x.example/" is not a URL`,
		"https://x.example\nevil":               `the start URL "https://x.example evil" is not a URL`,
		"https://x.example/\u202e":              `the start URL "https://x.example/" is not a URL`,
		"https://user:S3CR3T@x.example/start":   `the start URL must not hold a user name`,
		"https://%zz/":                          `the start URL "https://%zz/" is not a URL`,
	} {
		wantFault(t, ValidStartURL(url), fault.Config, "", msg)
	}
}

func TestResolveVanity(t *testing.T) {
	t.Parallel()
	const vanity = "https://sso.acme.example/start"
	to := func(status int, location string) answer {
		return answer{status: status, header: map[string]string{"Location": location}}
	}
	for _, tt := range []struct {
		name, url, want string
		answers         []answer
		methods         string
	}{
		{"redirect to a region's portal", vanity, "https://ssoins-1.portal.eu-west-1.app.aws", []answer{to(302, "https://ssoins-1.portal.eu-west-1.app.aws/?x=1#y")}, "HEAD"},
		{"to a classic portal", vanity, "https://d-1.awsapps.com/start", []answer{to(301, "https://d-1.awsapps.com:443/start/#/")}, "HEAD"},
		{"HEAD not allowed", vanity, "https://d-1.awsapps.com/start", []answer{{status: 405}, to(307, "https://d-1.awsapps.com/start")}, "HEAD GET"},
		{"HEAD not implemented", vanity, "https://d-1.awsapps.com/start", []answer{{status: 501}, to(308, "https://d-1.awsapps.com/start")}, "HEAD GET"},
		{"neither", vanity, vanity, []answer{{status: 405}, {status: 405}}, "HEAD GET"},
		{"no redirect", vanity, vanity, []answer{{status: 200}}, "HEAD"},
		{"not found", vanity, vanity, []answer{{status: 404}}, "HEAD"},
		{"a second redirect is not followed", vanity, vanity, []answer{to(302, "https://www.acme.example/sso"), to(302, "https://d-1.awsapps.com/start")}, "HEAD"},
		{"somewhere else", vanity, vanity, []answer{to(302, "https://evil.example/start")}, "HEAD"},
		{"not https", vanity, vanity, []answer{to(302, "http://d-1.awsapps.com/start")}, "HEAD"},
		{"with a user name", vanity, vanity, []answer{to(302, "https://u:p@d-1.awsapps.com/start")}, "HEAD"},
		{"nowhere", vanity, vanity, []answer{to(302, "")}, "HEAD"},
		{"not a URL", vanity, vanity, []answer{to(302, "https://%zz")}, "HEAD"},
		{"no such host", vanity, vanity, []answer{{err: errors.New("no such host")}}, "HEAD"},
		{"AWS's own", startURL + "#", startURL + "#", nil, ""},
		{"this machine", "https://127.0.0.1:8443/start", "https://127.0.0.1:8443/start", nil, ""},
		{"an emulator", "http://127.0.0.1:8080/start", "http://127.0.0.1:8080/start", nil, ""},
		{"not a start URL", "ftp://x.example", "ftp://x.example", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorded{answers: tt.answers}
			if got := ResolveVanity(t.Context(), clientOf(r), tt.url); got != tt.want {
				t.Errorf("ResolveVanity = %q, want %q", got, tt.want)
			}
			methods := ""
			for _, q := range r.requests {
				if methods != "" {
					methods += " "
				}
				methods += q.method
			}
			if methods != tt.methods {
				t.Errorf("requests = %q, want %q", methods, tt.methods)
			}
		})
	}
	t.Run("nothing answers", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			if got := ResolveVanity(context.Background(), &http.Client{Transport: &hanging{}}, vanity); got != vanity {
				t.Errorf("ResolveVanity = %q", got)
			}
			if d := time.Since(start); d != vanityTimeout {
				t.Errorf("took %v, want %v", d, vanityTimeout)
			}
		})
	})
}
