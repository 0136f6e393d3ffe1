package idc

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// Settings is where endpoint, proxy and certificate settings are read from.
type Settings struct {
	Getenv func(name string) string // required
	// Profile returns a key of the profile, "" where it is absent. Nil is a profile without keys.
	Profile func(key string) string
	// Service returns the endpoint_url of a service ("sso_oidc", "sso") from the profile's `services` section, else
	// the profile's own endpoint_url, else "". Nil is "" for every service.
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
// variable, AWS_ENDPOINT_URL, the profile's services section, the profile's endpoint_url. startURL, after
// ResolveVanity, selects dual-stack where nothing else decides, since a device code of the IPv4 service does not work
// on a dual-stack start page (aws-cli#10507).
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
				return Endpoints{}, fault.New(fault.Config,
					"remove one of the two, or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
					"%s overrides the endpoint of %s, which cannot be combined with %s endpoints", origin,
					service.name, variant)
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

// baseURL checks an override and returns it without a trailing slash. Its errors never repeat the value, which may
// hold a password.
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

// URLs returns the base URLs of the two services in a region by AWS's endpoint rules, overrides first.
func (e Endpoints) URLs(region string) (oidc, portal string, err error) {
	if (e.OIDC == "" || e.Portal == "") && !hostLabel(region) {
		if region == "" {
			return "", "", fault.Suggest(fault.Config,
				fault.Preface{Words: "set sso_region, or", Then: fault.ConfigureSSO{}},
				"the region of IAM Identity Center (sso_region) is missing")
		}
		return "", "", fault.New(fault.Config, "check sso_region; a region looks like us-east-1",
			"%q is not a region", plain.Line(region, 60))
	}
	oidc, portal = e.OIDC, e.Portal
	if oidc == "" {
		oidc = e.address("oidc", region)
	}
	if portal == "" {
		portal = e.address("portal.sso", region)
	}
	return oidc, portal, nil
}

// partition is a set of regions with domains of their own.
type partition struct {
	prefix       string // of the names of its regions; "" takes every other
	suffix, dual string // what hosts end in, and those that have IPv6 too
	web          string // what the hosts of the console end in, behind "console."
	plainFIPS    bool   // the FIPS hosts are the usual ones
}

// partitions is AWS's table as the SDKs carry it (partitions.json of 2026-11). All of them have every variant. The
// web domains are those of signin.… in the endpoint rules of AWS's sign-in service; the console is beside it.
var partitions = [...]partition{
	{prefix: "us-gov-", suffix: "amazonaws.com", dual: "api.aws", web: "amazonaws-us-gov.com", plainFIPS: true},
	{prefix: "us-isof-", suffix: "csp.hci.ic.gov", dual: "api.aws.hci.ic.gov", web: "csphome.hci.ic.gov"},
	{prefix: "us-isob-", suffix: "sc2s.sgov.gov", dual: "api.aws.scloud", web: "sc2shome.sgov.gov"},
	{prefix: "us-iso-", suffix: "c2s.ic.gov", dual: "api.aws.ic.gov", web: "c2shome.ic.gov"},
	{prefix: "eu-isoe-", suffix: "cloud.adc-e.uk", dual: "api.cloud-aws.adc-e.uk", web: "csphome.adc-e.uk"},
	{prefix: "eusc-de-", suffix: "amazonaws.eu", dual: "api.amazonwebservices.eu", web: "amazonaws-eusc.eu"},
	{prefix: "cn-", suffix: "amazonaws.com.cn", dual: "api.amazonwebservices.com.cn", web: "amazonaws.cn"},
	{suffix: "amazonaws.com", dual: "api.aws", web: "aws.amazon.com"},
}

// partitionOf returns the partition of a region; the last takes what no other has.
func partitionOf(region string) partition {
	return partitions[slices.IndexFunc(partitions[:], func(p partition) bool {
		return strings.HasPrefix(region,
			p.prefix)
	})]
}

// address is where AWS has a service in a region, by the rule sets that it publishes for the SDKs.
func (e Endpoints) address(service, region string) string {
	p := partitionOf(region)
	if e.FIPS && (e.DualStack || !p.plainFIPS) {
		service += "-fips"
	}
	if e.DualStack {
		return "https://" + service + "." + region + "." + p.dual
	}
	return "https://" + service + "." + region + "." + p.suffix
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
