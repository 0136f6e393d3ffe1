package idc

import (
	"net/url"
	"slices"
	"strings"
)

// awsSuffixes end the names of AWS's own endpoints. Below them stand customers' machines and buckets too, so a suffix
// alone makes no host AWS's.
var awsSuffixes = []string{
	"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "api.amazonwebservices.com.cn",
	"api.amazonwebservices.eu",
}

// signInServices are the labels that stand before the region in the hosts a sign-in leads to.
var signInServices = []string{"oidc", "oidc-fips", "device.sso", "portal.sso"}

// Known reports whether a sign-in to startURL in region may lead to host (lower case, without port): it serves AWS's
// sign-in pages, in any partition, or it is the host of the start URL or of an endpoint that was configured. A code
// typed on any other host would be typed on a stranger's page.
func (e Endpoints) Known(host, region string, startURLs ...string) bool {
	if host == "" {
		return false
	}
	own := make([]string, 0, len(startURLs)+2)
	for _, u := range startURLs {
		own = append(own, hostOf(u))
	}
	if oidc, portal, err := e.URLs(region); err == nil {
		own = append(own, hostOf(oidc), hostOf(portal))
	}
	return slices.Contains(own, host) || AWSHost((&url.URL{Scheme: "https", Host: host}).String()) || signInHost(host)
}

// signInHost reports whether host is SERVICE.REGION.SUFFIX for a service that a sign-in uses.
func signInHost(host string) bool {
	for _, suffix := range awsSuffixes {
		rest, ok := strings.CutSuffix(host, "."+suffix)
		if !ok {
			continue
		}
		for _, service := range signInServices {
			if region, ok := strings.CutPrefix(rest, service+"."); ok && isRegion(region) {
				return true
			}
		}
	}
	return false
}

// DeviceGrantFails says, in a clause, why device codes are known to fail for startURL at these endpoints; "" when
// nothing is known against them. The start page of a dual-stack portal does not find codes of the IPv4 service
// (aws-cli#10507).
func (e Endpoints) DeviceGrantFails(startURL string) string {
	if e.OIDC == "" && !e.DualStack && dualStack(startURL) {
		return "the dual-stack start page does not know the codes of the IPv4 service, which is the one configured"
	}
	return ""
}
