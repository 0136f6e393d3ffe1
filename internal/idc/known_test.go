package idc

import "testing"

func TestKnown(t *testing.T) {
	t.Parallel()
	aws := Endpoints{}
	configured := Endpoints{OIDC: "http://127.0.0.1:8080", Portal: "https://sso.corp.example/x"}
	for _, tt := range []struct {
		host string
		e    Endpoints
		want bool
	}{
		{"device.sso.us-east-1.amazonaws.com", aws, true},
		{"device.sso.eu-isoe-west-1.amazonaws.com", aws, true},
		{"oidc.eu-central-1.amazonaws.com", aws, true},
		{"oidc.eu-central-1.api.aws", aws, true},
		{"oidc.cn-north-1.amazonaws.com.cn", aws, true},
		{"d-1234567890.awsapps.com", aws, true},
		{"acme.awsapps.com", aws, true},
		{"ssoins-1.portal.eu-west-1.app.aws", aws, true},
		{"start.corp.example", aws, true}, // the start URL's own
		{"127.0.0.1", configured, true},
		{"sso.corp.example", configured, true},

		{"127.0.0.1", aws, false},
		{"sso.corp.example", aws, false},
		{"ec2-3-120-1-2.eu-central-1.compute.amazonaws.com", aws, false},
		{"device.sso.amazonaws.com", aws, false},
		{"device.sso.evil.amazonaws.com", aws, false},
		{"device.sso.us-east-1.amazonaws.com.evil.example", aws, false},
		{"evil-awsapps.com", aws, false},
		{"oidc.us-east-1.s3.amazonaws.com", aws, false},
		{"", aws, false},
	} {
		if got := tt.e.Known(tt.host, "us-east-1", "https://start.corp.example/start"); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.host, got, tt.want)
		}
	}
}

func TestDeviceGrantFails(t *testing.T) {
	t.Parallel()
	const dual, plain = "https://ssoins-1.portal.eu-west-1.app.aws", "https://d-1234567890.awsapps.com/start"
	for name, tt := range map[string]struct {
		env      map[string]string
		startURL string
		fails    bool
	}{
		"a usual portal":                       {nil, plain, false},
		"dual-stack, endpoint found by itself": {nil, dual, false},
		"dual-stack switched off":              {map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "false"}, dual, true},
		"usual portal, dual-stack off":         {map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "false"}, plain, false},
		"another endpoint":                     {map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "false", "AWS_ENDPOINT_URL_SSO_OIDC": "http://127.0.0.1:1"}, dual, false},
	} {
		e, err := ResolveEndpoints(Settings{Getenv: func(name string) string { return tt.env[name] }}, tt.startURL)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.DeviceGrantFails(tt.startURL); (got != "") != tt.fails {
			t.Errorf("%s: %q", name, got)
		}
	}
}
