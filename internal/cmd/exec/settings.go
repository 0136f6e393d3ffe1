package exec

import (
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
)

// profileSettings are the settings of a profile that SDKs, or the AWS CLI, take from a variable too. A command under plain
// exec is told of no profile, and takes [default] for all that no variable says.
var profileSettings = []struct{ key, variable string }{
	{"use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT"},
	{"use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT"},
	{"ca_bundle", "AWS_CA_BUNDLE"},
	{"ignore_configured_endpoint_urls", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"},
	{"account_id_endpoint_mode", "AWS_ACCOUNT_ID_ENDPOINT_MODE"},
	{"sts_regional_endpoints", "AWS_STS_REGIONAL_ENDPOINTS"},
	{"endpoint_discovery_enabled", "AWS_ENDPOINT_DISCOVERY_ENABLED"},
	{"disable_host_prefix_injection", "AWS_DISABLE_HOST_PREFIX_INJECTION"},
	{"auth_scheme_preference", "AWS_AUTH_SCHEME_PREFERENCE"},
	{"sigv4a_signing_region_set", "AWS_SIGV4A_SIGNING_REGION_SET"},
	{"s3_disable_express_session_auth", "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH"},
	{"s3_disable_multiregion_access_points", "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS"},
	{"s3_use_arn_region", "AWS_S3_USE_ARN_REGION"},
	{"s3_us_east_1_regional_endpoint", "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"},
	{"request_checksum_calculation", "AWS_REQUEST_CHECKSUM_CALCULATION"},
	{"response_checksum_validation", "AWS_RESPONSE_CHECKSUM_VALIDATION"},
	{"disable_request_compression", "AWS_DISABLE_REQUEST_COMPRESSION"},
	{"request_min_compression_size_bytes", "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES"},
	{"sdk_ua_app_id", "AWS_SDK_UA_APP_ID"},
	{"defaults_mode", "AWS_DEFAULTS_MODE"},
	{"retry_mode", "AWS_RETRY_MODE"},
	{"max_attempts", "AWS_MAX_ATTEMPTS"},
	{"output", "AWS_DEFAULT_OUTPUT"},
	{"cli_pager", "AWS_PAGER"},
	{"cli_auto_prompt", "AWS_CLI_AUTO_PROMPT"},
}

// dropSettings takes back what an outer exec has set for its profile.
func (c *childCommand) dropSettings() {
	for _, v := range slices.Clone(c.env) {
		name, value, _ := strings.Cut(v, "=")
		if of, ok := strings.CutPrefix(variableName(name), app.VarSettings+"AWS_"); ok {
			c.unset(name)
			c.env = slices.DeleteFunc(c.env, func(v string) bool {
				was, now, _ := strings.Cut(v, "=")
				return variableName(was) == "AWS_"+of && now == value
			})
		}
	}
}

// setSettings gives the command the settings of a profile for which there are variables, where they are not set. What
// [default] says and the profile does not would count too: that it is not so is said where a variable can.
func (c *childCommand) setSettings(profile string) {
	if c.App.Loaded == nil || profile == "default" { // which it reads by itself
		return
	}
	p, ok := c.App.Loaded.Profile(profile)
	if !ok {
		return
	}
	for _, s := range profileSettings {
		if v, ok := p.Lookup(s.key); ok {
			c.setUnlessSet(s.variable, v)
		}
	}
	byDefault, _ := c.App.Loaded.Profile("default")
	for _, s := range profileSettings[:2] { // off where nothing is said
		if byDefault.Get(s.key) != "" {
			c.setUnlessSet(s.variable, "false")
		}
	}
	// A variable for all services wins over the blocks of a file, so where there is one the profile says nothing more.
	endpoint, services := p.Get("endpoint_url"), c.App.Loaded.ServiceEndpoints(profile)
	switch {
	case c.has("AWS_ENDPOINT_URL"):
	case endpoint != "" || len(services) > 0:
		for service, url := range services {
			c.setUnlessSet("AWS_ENDPOINT_URL_"+strings.ToUpper(strings.ReplaceAll(service, " ", "_")), url)
		}
		c.setUnlessSet("AWS_ENDPOINT_URL", endpoint)
	case (byDefault.Get("endpoint_url") != "" || len(c.App.Loaded.ServiceEndpoints("default")) > 0) && !c.hasEndpoint():
		c.setUnlessSet("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true") // for it ignores those of variables, too
	}
}

// setUnlessSet gives the command a variable that it does not have, and tells a homing inside. An empty AWS_PAGER is one: none.
func (c *childCommand) setUnlessSet(name, value string) {
	if c.has(name) || value == "" && name != "AWS_PAGER" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
		return
	}
	c.set(name, value)
	c.set(app.VarSettings+name, value)
}

// has reports whether the command has a variable; an empty one counts for AWS_PAGER only, as for those who read them.
func (c *childCommand) has(name string) bool {
	return slices.ContainsFunc(c.env, func(v string) bool {
		was, value, _ := strings.Cut(v, "=")
		return variableName(was) == name && (value != "" || name == "AWS_PAGER")
	})
}

// hasEndpoint reports whether the command has an endpoint by variable, of whatever service.
func (c *childCommand) hasEndpoint() bool {
	return slices.ContainsFunc(c.env, func(v string) bool {
		name, value, _ := strings.Cut(v, "=")
		return strings.HasPrefix(variableName(name), "AWS_ENDPOINT_URL") && value != ""
	})
}
