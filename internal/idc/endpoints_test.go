package idc

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

// TestHosts holds the hosts of both services by partition and variant: the table of AWS's endpoint rules. An empty
// cell is a variant that the partition does not have.
func TestHosts(t *testing.T) {
	t.Parallel()
	// OIDC hosts; the portal's are the same with portal.sso for oidc.
	for _, tt := range []struct{ region, standard, dual, fips, both string }{
		{"us-east-1", "oidc.us-east-1.amazonaws.com", "oidc.us-east-1.api.aws", "oidc-fips.us-east-1.amazonaws.com", "oidc-fips.us-east-1.api.aws"},
		{"mx-central-1", "oidc.mx-central-1.amazonaws.com", "oidc.mx-central-1.api.aws", "oidc-fips.mx-central-1.amazonaws.com", "oidc-fips.mx-central-1.api.aws"},
		{"us-gov-west-1", "oidc.us-gov-west-1.amazonaws.com", "oidc.us-gov-west-1.api.aws", "oidc.us-gov-west-1.amazonaws.com", "oidc-fips.us-gov-west-1.api.aws"},
		{"cn-north-1", "oidc.cn-north-1.amazonaws.com.cn", "oidc.cn-north-1.api.amazonwebservices.com.cn", "oidc-fips.cn-north-1.amazonaws.com.cn", "oidc-fips.cn-north-1.api.amazonwebservices.com.cn"},
		{"eusc-de-east-1", "oidc.eusc-de-east-1.amazonaws.eu", "oidc.eusc-de-east-1.api.amazonwebservices.eu", "oidc-fips.eusc-de-east-1.amazonaws.eu", "oidc-fips.eusc-de-east-1.api.amazonwebservices.eu"},
		{"us-iso-east-1", "oidc.us-iso-east-1.c2s.ic.gov", "oidc.us-iso-east-1.api.aws.ic.gov", "oidc-fips.us-iso-east-1.c2s.ic.gov", "oidc-fips.us-iso-east-1.api.aws.ic.gov"},
		{"us-isob-east-1", "oidc.us-isob-east-1.sc2s.sgov.gov", "oidc.us-isob-east-1.api.aws.scloud", "oidc-fips.us-isob-east-1.sc2s.sgov.gov", "oidc-fips.us-isob-east-1.api.aws.scloud"},
		{"eu-isoe-west-1", "oidc.eu-isoe-west-1.cloud.adc-e.uk", "oidc.eu-isoe-west-1.api.cloud-aws.adc-e.uk", "oidc-fips.eu-isoe-west-1.cloud.adc-e.uk", "oidc-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
		{"us-isof-south-1", "oidc.us-isof-south-1.csp.hci.ic.gov", "oidc.us-isof-south-1.api.aws.hci.ic.gov", "oidc-fips.us-isof-south-1.csp.hci.ic.gov", "oidc-fips.us-isof-south-1.api.aws.hci.ic.gov"},
		{"us-new-99", "oidc.us-new-99.amazonaws.com", "oidc.us-new-99.api.aws", "oidc-fips.us-new-99.amazonaws.com", "oidc-fips.us-new-99.api.aws"},
	} {
		for _, cell := range []struct {
			Endpoints
			want string
		}{
			{Endpoints{}, tt.standard}, {Endpoints{DualStack: true}, tt.dual}, {Endpoints{FIPS: true}, tt.fips},
			{Endpoints{FIPS: true, DualStack: true}, tt.both},
		} {
			oidc, portal, err := cell.URLs(tt.region)
			wantPortal := strings.Replace(cell.want, "oidc", "portal.sso", 1)
			if err != nil || oidc != "https://"+cell.want || portal != "https://"+wantPortal {
				t.Errorf("%s %+v = %s, %s, %v; want %s, %s", tt.region, cell.Endpoints, oidc, portal, err, cell.want,
					wantPortal)
			}
		}
	}
}

// settings makes Settings of two maps and a services section.
func settings(env, profile, services map[string]string) Settings {
	lookup := func(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
	return Settings{Getenv: lookup(env), Profile: lookup(profile), Service: lookup(services)}
}

type m = map[string]string

func TestResolveEndpoints(t *testing.T) {
	t.Parallel()
	const dualStart = "https://ssoins-1.portal.us-east-1.app.aws"
	for _, tt := range []struct {
		name                   string
		env, profile, services m
		start                  string
		want                   Endpoints
	}{
		{name: "nothing set"},
		{name: "each service's variable first", env: m{"AWS_ENDPOINT_URL_SSO_OIDC": "http://o:1/", "AWS_ENDPOINT_URL_SSO": "http://p:2/base/", "AWS_ENDPOINT_URL": "http://all"}, services: m{"sso": "http://s"}, want: Endpoints{OIDC: "http://o:1", Portal: "http://p:2/base"}},
		{name: "the variable for all before the file", env: m{"AWS_ENDPOINT_URL": "https://all.example"}, services: m{"sso": "http://s", "sso_oidc": "http://t"}, want: Endpoints{OIDC: "https://all.example", Portal: "https://all.example"}},
		{name: "one variable of its own", env: m{"AWS_ENDPOINT_URL_SSO": "http://p", "AWS_ENDPOINT_URL": "http://all"}, want: Endpoints{OIDC: "http://all", Portal: "http://p"}},
		{name: "the file last", services: m{"sso": "http://s", "sso_oidc": "http://t"}, want: Endpoints{OIDC: "http://t", Portal: "http://s"}},
		{name: "ignored by the environment", env: m{"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"}, services: m{"sso": "http://s"}},
		{name: "ignored by the profile", env: m{"AWS_ENDPOINT_URL": "http://all"}, profile: m{"ignore_configured_endpoint_urls": "true"}},
		{name: "not ignored", env: m{"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, profile: m{"ignore_configured_endpoint_urls": "true"}, want: Endpoints{OIDC: "http://all", Portal: "http://all"}},
		{name: "variants by the environment", env: m{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "TRUE"}, want: Endpoints{FIPS: true, DualStack: true}},
		{name: "variants by the profile", profile: m{"use_fips_endpoint": "true", "use_dualstack_endpoint": "true"}, want: Endpoints{FIPS: true, DualStack: true}},
		{name: "the environment overrules the profile", env: m{"AWS_USE_FIPS_ENDPOINT": "false"}, profile: m{"use_fips_endpoint": "true"}},
		{name: "ignored overrides may stand beside FIPS", env: m{"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_USE_FIPS_ENDPOINT": "true"}, want: Endpoints{FIPS: true}},
		{name: "a dual-stack start URL", start: dualStart, want: Endpoints{DualStack: true}},
		{name: "a dual-stack start URL and FIPS", start: dualStart, env: m{"AWS_USE_FIPS_ENDPOINT": "true"}, want: Endpoints{FIPS: true, DualStack: true}},
		{name: "a dual-stack start URL overruled", start: dualStart, env: m{"AWS_USE_DUALSTACK_ENDPOINT": "false"}},
		{name: "a dual-stack start URL and overrides", start: dualStart, env: m{"AWS_ENDPOINT_URL": "http://all"}, want: Endpoints{OIDC: "http://all", Portal: "http://all"}},
		{name: "an IPv4 start URL", start: "https://ssoins-1.us-east-1.portal.amazonaws.com"},
		{name: "a classic start URL", start: startURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ResolveEndpoints(settings(tt.env, tt.profile, tt.services), tt.start)
			if err != nil || got != tt.want {
				t.Errorf("ResolveEndpoints = %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
	if got, err := ResolveEndpoints(Settings{Getenv: func(string) string { return "" }}, ""); err != nil ||
		got != (Endpoints{}) {
		t.Errorf("without a profile: %+v, %v", got, err)
	}
}

func TestResolveEndpointsRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env, profile, services m
		msg                    string
	}{
		{m{"AWS_ENDPOINT_URL": "http://all", "AWS_USE_FIPS_ENDPOINT": "true"}, nil, nil, "AWS_ENDPOINT_URL overrides the endpoint of sso_oidc, which cannot be combined with FIPS endpoints"},
		{m{"AWS_ENDPOINT_URL_SSO": "http://all"}, m{"use_dualstack_endpoint": "true"}, nil, "AWS_ENDPOINT_URL_SSO overrides the endpoint of sso, which cannot be combined with dual-stack endpoints"},
		{m{"AWS_USE_FIPS_ENDPOINT": "true"}, nil, m{"sso_oidc": "http://x"}, "endpoint_url in the AWS config file overrides the endpoint of sso_oidc, which cannot be combined with FIPS endpoints"},
		{m{"AWS_ENDPOINT_URL_SSO_OIDC": "localhost:8080"}, nil, nil, "AWS_ENDPOINT_URL_SSO_OIDC is not usable as the endpoint of sso_oidc: it does not begin with http:// or https://"},
		{m{"AWS_ENDPOINT_URL": "https://"}, nil, nil, "AWS_ENDPOINT_URL is not usable as the endpoint of sso_oidc: it names no host"},
		{m{"AWS_ENDPOINT_URL": "http://u:S3CR3T@h"}, nil, nil, "AWS_ENDPOINT_URL is not usable as the endpoint of sso_oidc: it holds a user name"},
		{m{"AWS_ENDPOINT_URL": "http://u:S3CR3T@h:port"}, nil, nil, "AWS_ENDPOINT_URL is not usable as the endpoint of sso_oidc: it is not a URL"},
		{m{"AWS_ENDPOINT_URL": "http://h/?q=S3CR3T"}, nil, nil, "AWS_ENDPOINT_URL is not usable as the endpoint of sso_oidc: it holds a query or a fragment"},
		{m{"AWS_ENDPOINT_URL": "http://h/\u202e"}, nil, nil, "AWS_ENDPOINT_URL is not usable as the endpoint of sso_oidc: it is not a URL"},
	} {
		_, err := ResolveEndpoints(settings(tt.env, tt.profile, tt.services), startURL)
		wantFault(t, err, fault.Config, "", tt.msg)
	}
}

func TestOverridesServeWithoutARegion(t *testing.T) {
	t.Parallel()
	oidc, portal, err := Endpoints{OIDC: "http://o", Portal: "http://p"}.URLs("")
	if err != nil || oidc != "http://o" || portal != "http://p" {
		t.Errorf("URLs = %q, %q, %v", oidc, portal, err)
	}
}

// TestBasePathIsKept sends to overrides that have a path.
func TestBasePathIsKept(t *testing.T) {
	t.Parallel()
	r := &recorded{
		answers: []answer{
			{body: `{"deviceCode":"d","userCode":"u","verificationUri":"http://x/","expiresIn":600,"nextToken":null}`},
		},
	}
	e, err := ResolveEndpoints(settings(m{"AWS_ENDPOINT_URL": "http://127.0.0.1:8080/idc/"}, nil, nil), startURL)
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Region: "us-east-1", Endpoints: e, HTTPClient: clientOf(r)})
	if err := callStart(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := callAccounts(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"/idc/device_authorization", "/idc/assignment/accounts"} {
		if got := r.requests[i]; got.host != "127.0.0.1:8080" || got.path != want {
			t.Errorf("request = %s%s, want %s", got.host, got.path, want)
		}
	}
}
