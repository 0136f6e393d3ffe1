package exec

import (
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
)

// profileSettings are the settings of a profile that SDKs or the AWS CLI also read from a variable. A command under
// plain exec does not know the profile: without these variables it would use the settings of [default].
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

// dropSettings removes the variables that an outer exec set for its profile.
func (c *childCommand) dropSettings() {
	for _, v := range slices.Clone(c.env) {
		name, value, _ := strings.Cut(v, "=")
		if rest, ok := strings.CutPrefix(variableName(name), app.VarSettings+"AWS_"); ok {
			c.unset(name)
			c.env = slices.DeleteFunc(c.env, func(v string) bool {
				name, current, _ := strings.Cut(v, "=")
				return variableName(name) == "AWS_"+rest && current == value
			})
		}
	}
}

// setSettings sets the variables for the settings of a profile, unless they are set already. The command also reads
// [default], so for a setting that only [default] has, it sets the variable to the default value where that is
// possible.
func (c *childCommand) setSettings(profile string) {
	if c.app.Loaded == nil || profile == "default" { // the command reads [default] itself
		return
	}
	p, ok := c.app.Loaded.Profile(profile)
	if !ok {
		return
	}
	for _, s := range profileSettings {
		if v, ok := p.Lookup(s.key); ok {
			c.setUnlessSet(s.variable, v)
		}
	}
	defaultProfile, _ := c.app.Loaded.Profile("default")
	for _, s := range profileSettings[:2] { // off unless set
		if defaultProfile.Get(s.key) != "" {
			c.setUnlessSet(s.variable, "false")
		}
	}
	// AWS_ENDPOINT_URL overrides the services sections of a file, so if it is set the profile's endpoints do not
	// matter.
	endpoint, services := p.Get("endpoint_url"), c.app.Loaded.ServiceEndpoints(profile)
	switch {
	case c.has("AWS_ENDPOINT_URL"):
	case endpoint != "" || len(services) > 0:
		for service, url := range services {
			c.setUnlessSet("AWS_ENDPOINT_URL_"+strings.ToUpper(strings.ReplaceAll(service, " ", "_")), url)
		}
		c.setUnlessSet("AWS_ENDPOINT_URL", endpoint)
	case c.hasEndpoint(): // AWS_IGNORE_CONFIGURED_ENDPOINT_URLS would disable that one too
	case defaultProfile.Get("endpoint_url") != "" || len(c.app.Loaded.ServiceEndpoints("default")) > 0:
		c.setUnlessSet("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	}
}

// setUnlessSet sets a variable that the command does not have, and records that for a homing inside the command. Only
// AWS_PAGER may be empty: it then means no pager.
func (c *childCommand) setUnlessSet(name, value string) {
	isControl := func(r rune) bool { return r < ' ' }
	if c.has(name) || value == "" && name != "AWS_PAGER" || strings.ContainsFunc(value, isControl) {
		return
	}
	c.set(name, value)
	c.set(app.VarSettings+name, value)
}

// has reports whether the command has a variable. As for SDKs, an empty one counts for AWS_PAGER only.
func (c *childCommand) has(name string) bool {
	return slices.ContainsFunc(c.env, func(v string) bool {
		was, value, _ := strings.Cut(v, "=")
		return variableName(was) == name && (value != "" || name == "AWS_PAGER")
	})
}

// hasEndpoint reports whether a variable sets an endpoint of any service.
func (c *childCommand) hasEndpoint() bool {
	return slices.ContainsFunc(c.env, func(v string) bool {
		name, value, _ := strings.Cut(v, "=")
		return strings.HasPrefix(variableName(name), "AWS_ENDPOINT_URL") && value != ""
	})
}
