package idc

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// Settings is where endpoint, proxy and certificate settings are read from.
type Settings struct {
	Getenv func(name string) string // required
	// Profile returns a key of the profile, "" where it is absent. Nil is a profile without keys.
	Profile func(key string) string
	// Service returns the endpoint_url of a service ("sso_oidc", "sso") from the profile's `services` section, else the
	// profile's own endpoint_url, else "". Nil is "" for every service.
	Service func(service string) string
}

func (s Settings) profile(key string) string {
	if s.Profile == nil {
		return ""
	}
	return s.Profile(key)
}

// flag reads a boolean, the environment first as every AWS client does. set is false when neither names it.
func (s Settings) flag(env, key string) (on, set bool) {
	v := s.Getenv(env)
	if v == "" {
		v = s.profile(key)
	}
	return strings.EqualFold(strings.TrimSpace(v), "true"), v != ""
}

// Endpoints says where the two services are. The zero value is AWS's own IPv4 endpoints.
type Endpoints struct {
	OIDC, Portal    string // overrides without a trailing slash; "" is AWS's own for the region
	FIPS, DualStack bool   // variants of AWS's own
}

// ResolveEndpoints reads the overrides and variants in force, in the order of the AWS CLI: the service's environment
// variable, AWS_ENDPOINT_URL, the profile's services section, the profile's endpoint_url. startURL, after ResolveVanity,
// selects dual-stack where nothing else decides, since a device code of the IPv4 service does not work on a dual-stack
// start page (aws-cli#10507).
func ResolveEndpoints(s Settings, startURL string) (Endpoints, error) {
	var e Endpoints
	e.FIPS, _ = s.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
	dual, decided := s.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
	if ignore, _ := s.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"); !ignore {
		for _, service := range []struct {
			to        *string
			env, name string
		}{{&e.OIDC, "AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc"}, {&e.Portal, "AWS_ENDPOINT_URL_SSO", "sso"}} {
			value, origin := s.override(service.env, service.name)
			if value == "" {
				continue
			}
			base, err := baseURL(value)
			if err != nil {
				return Endpoints{}, fault.New(fault.Config, "give an address such as http://127.0.0.1:8080, or none",
					"%s is not usable as the endpoint of %s: %s", origin, service.name, err)
			}
			*service.to = base
			if e.FIPS || dual {
				variant := "FIPS"
				if !e.FIPS {
					variant = "dual-stack"
				}
				return Endpoints{}, fault.New(fault.Config, "remove one of the two, or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
					"%s overrides the endpoint of %s, which cannot be combined with %s endpoints", origin, service.name, variant)
			}
		}
	}
	e.DualStack = dual || !decided && dualStack(startURL) && (e.OIDC == "" || e.Portal == "")
	return e, nil
}

// override returns the endpoint of a service and the name of the setting it comes from.
func (s Settings) override(env, service string) (value, origin string) {
	for _, name := range []string{env, "AWS_ENDPOINT_URL"} {
		if v := strings.TrimSpace(s.Getenv(name)); v != "" {
			return v, name
		}
	}
	if s.Service == nil {
		return "", ""
	}
	return strings.TrimSpace(s.Service(service)), "endpoint_url in the AWS config file"
}

// baseURL checks an override and returns it without a trailing slash. Its errors never repeat the value, which may hold
// a password.
func baseURL(value string) (string, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil || !plain.IsLine(value):
		return "", fmt.Errorf("it is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("it does not begin with http:// or https://")
	case u.Hostname() == "":
		return "", fmt.Errorf("it names no host")
	case u.User != nil:
		return "", fmt.Errorf("it holds a user name")
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("it holds a query or a fragment")
	}
	return strings.TrimRight(value, "/?#"), nil
}

// URLs returns the base URLs of the two services in a region by the SDK's endpoint rules, overrides first.
func (e Endpoints) URLs(region string) (oidc, portal string, err error) {
	if (e.OIDC == "" || e.Portal == "") && !hostLabel(region) {
		if region == "" {
			return "", "", fault.New(fault.Config, "set sso_region, or run: homing configure sso", "the region of IAM Identity Center (sso_region) is missing")
		}
		return "", "", fault.New(fault.Config, "check sso_region; a region looks like us-east-1", "%q is not a region", plain.Line(region, 60))
	}
	oidc, portal = e.OIDC, e.Portal
	if oidc == "" {
		r, err := ssooidc.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(),
			ssooidc.EndpointParameters{Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack})
		if err != nil {
			return "", "", e.none(region, err)
		}
		oidc = r.URI.String()
	}
	if portal == "" {
		r, err := sso.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(),
			sso.EndpointParameters{Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack})
		if err != nil {
			return "", "", e.none(region, err)
		}
		portal = r.URI.String()
	}
	return oidc, portal, nil
}

// none is the error for a partition without the variant asked for.
func (e Endpoints) none(region string, err error) error {
	return &fault.Error{
		Kind: fault.Config, Err: err,
		Msg:  fmt.Sprintf("region %q has no endpoints of the kind asked for (FIPS %t, dual-stack %t)", region, e.FIPS, e.DualStack),
		Hint: "check AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and the profile's use_fips_endpoint, use_dualstack_endpoint",
	}
}

// hostLabel reports whether s can stand in a host name as one label, which is all a region has to be.
func hostLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if ch := s[i]; ch != '-' && (ch < '0' || ch > '9') && (ch < 'a' || ch > 'z') {
			return false
		}
	}
	return true
}
