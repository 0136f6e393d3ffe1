package idc

import (
	"net/url"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

// TestConsoleLink holds the link for every form of a start URL.
func TestConsoleLink(t *testing.T) {
	t.Parallel()
	const rest = "#/console?account_id=111122223333&role_name=Admin"
	for startURL, base := range map[string]string{
		"https://d-9067f00d42.awsapps.com/start":                             "https://d-9067f00d42.awsapps.com/start/",
		"https://d-9067f00d42.awsapps.com/start/":                            "https://d-9067f00d42.awsapps.com/start/",
		"https://d-9067f00d42.awsapps.com/start#":                            "https://d-9067f00d42.awsapps.com/start/",
		"https://d-9067f00d42.awsapps.com/start/#/":                          "https://d-9067f00d42.awsapps.com/start/",
		"https://d-9067f00d42.awsapps.com/start#/?tab=accounts":              "https://d-9067f00d42.awsapps.com/start/",
		"https://d-9067f00d42.awsapps.com/start?":                            "https://d-9067f00d42.awsapps.com/start/",
		"https://start.us-gov-home.awsapps.com/directory/d-9067f00d42":       "https://start.us-gov-home.awsapps.com/directory/d-9067f00d42",
		"https://start.us-gov-home.awsapps.com/directory/d-9067f00d42#":      "https://start.us-gov-home.awsapps.com/directory/d-9067f00d42",
		"https://start.home.awsapps.cn/directory/ada":                        "https://start.home.awsapps.cn/directory/ada",
		"https://ssoins-1234567890abcdef.portal.eu-west-1.app.aws":           "https://ssoins-1234567890abcdef.portal.eu-west-1.app.aws/",
		"https://ssoins-1234567890abcdef.eu-west-1.portal.amazonaws.com/":    "https://ssoins-1234567890abcdef.eu-west-1.portal.amazonaws.com/",
		"https://ssoins-1234567890abcdef.cn-north-1.portal.amazonaws.com.cn": "https://ssoins-1234567890abcdef.cn-north-1.portal.amazonaws.com.cn/",
		"https://sso.example.com":                                            "https://sso.example.com/",
		"https://sso.example.com/aws":                                        "https://sso.example.com/aws",
		"https://sso.example.com/?to=1":                                      "https://sso.example.com/?to=1",
		"http://127.0.0.1:8080/start":                                        "http://127.0.0.1:8080/start/",
	} {
		if got, err := ConsoleLink(startURL, "111122223333", "Admin", ""); err != nil || got != base+rest {
			t.Errorf("%s: %s, %v; want %s", startURL, got, err, base+rest)
		}
	}
	for _, startURL := range []string{"", "http://d-9067f00d42.awsapps.com/start", "https://identitycenter.amazonaws.com/ssoins-1234567890abcdef", "https://identitycenter.us-gov.amazonaws.com/ssoins-1"} {
		if got, err := ConsoleLink(startURL, "111122223333", "Admin", ""); fault.KindOf(err) != fault.Config {
			t.Errorf("%s: %s, %v", startURL, got, err)
		}
	}
}

// TestConsoleLinkEscapes reads back what is in the link's fragment, whatever it is.
func TestConsoleLinkEscapes(t *testing.T) {
	t.Parallel()
	const page = `https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1&x=a+b#logsV2:log-groups/log-group/$252Faws$252Fü&"'<>%20`
	link, err := ConsoleLink("https://x.awsapps.com/start", "111122223333", "A+b=c,d.e@f-g_h i&#", page)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	route, query, _ := strings.Cut(u.EscapedFragment(), "?")
	values, err := url.ParseQuery(query)
	if err != nil || route != "/console" || len(values) != 3 || values.Get("account_id") != "111122223333" ||
		values.Get("role_name") != "A+b=c,d.e@f-g_h i&#" || values.Get("destination") != page {
		t.Errorf("%v: %s", err, link)
	}
	if strings.Contains(query, "+") { // not everybody reads it as a space
		t.Errorf("a plus sign in %s", query)
	}
	for _, r := range link {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"'<>\`, r) {
			t.Errorf("%q is in the link", r)
		}
	}
}

func TestConsolePage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sso  string
		page ConsolePage
		want string
	}{
		{"us-east-1", ConsolePage{}, ""},
		{"us-east-1", ConsolePage{Region: "eu-west-1"}, "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1"},
		{"us-east-1", ConsolePage{Service: "s3"}, "https://console.aws.amazon.com/s3/home"},
		{"us-east-1", ConsolePage{Region: "eu-west-1", Service: "s3"}, "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1"},
		{"us-east-1", ConsolePage{Region: "eu-west-1", Service: "dynamodb"}, "https://eu-west-1.console.aws.amazon.com/dynamodbv2/home?region=eu-west-1"},
		{"us-east-1", ConsolePage{Service: "ecs/v2"}, "https://console.aws.amazon.com/ecs/v2/home"},
		{"us-gov-west-1", ConsolePage{Region: "us-gov-east-1", Service: "s3"}, "https://us-gov-east-1.console.amazonaws-us-gov.com/s3/home?region=us-gov-east-1"},
		{"cn-north-1", ConsolePage{Region: "cn-northwest-1", Service: "ec2"}, "https://cn-northwest-1.console.amazonaws.cn/ec2/home?region=cn-northwest-1"},
		{"eusc-de-east-1", ConsolePage{Region: "eusc-de-east-1", Service: "iam"}, "https://eusc-de-east-1.console.amazonaws-eusc.eu/iam/home?region=eusc-de-east-1"},
		{"us-iso-east-1", ConsolePage{Service: "ec2"}, "https://console.c2shome.ic.gov/ec2/home"},
		{"us-isob-east-1", ConsolePage{Service: "ec2"}, "https://console.sc2shome.sgov.gov/ec2/home"},
		{"eu-isoe-west-1", ConsolePage{Service: "ec2"}, "https://console.csphome.adc-e.uk/ec2/home"},
		{"us-isof-south-1", ConsolePage{Service: "ec2"}, "https://console.csphome.hci.ic.gov/ec2/home"},
		{"us-east-1", ConsolePage{Region: "eu-west-1", Page: "/s3/buckets/x"}, "https://eu-west-1.console.aws.amazon.com/s3/buckets/x?region=eu-west-1"},
		{"us-east-1", ConsolePage{Region: "eu-west-1", Page: "s3/buckets/x?tab=objects#a?b"}, "https://eu-west-1.console.aws.amazon.com/s3/buckets/x?tab=objects&region=eu-west-1#a?b"},
		{"us-east-1", ConsolePage{Region: "eu-west-1", Page: "/s3/buckets/x?region=us-west-2"}, "https://eu-west-1.console.aws.amazon.com/s3/buckets/x?region=us-west-2"},
		{"us-east-1", ConsolePage{Page: "//evil.example/x"}, "https://console.aws.amazon.com/evil.example/x"},
		{"us-east-1", ConsolePage{Page: "/ec2/home#Instances:tag=a:b"}, "https://console.aws.amazon.com/ec2/home#Instances:tag=a:b"},
		{"us-east-1", ConsolePage{Page: "https://s3.console.aws.amazon.com/s3/buckets/x#%20$252F"}, "https://s3.console.aws.amazon.com/s3/buckets/x#%20$252F"},
		{"us-east-1", ConsolePage{Page: "https://111122223333-abc.EU-west-1.Console.aws.amazon.com:443/x"}, "https://111122223333-abc.EU-west-1.Console.aws.amazon.com:443/x"},
		{"cn-north-1", ConsolePage{Page: "https://console.amazonaws.cn/"}, "https://console.amazonaws.cn/"},
	} {
		got, err := tt.page.Address(tt.sso)
		if err != nil || got != tt.want {
			t.Errorf("%+v in %s: %s, %v; want %s", tt.page, tt.sso, got, err, tt.want)
		}
	}
	for _, page := range []ConsolePage{
		{Region: "eu west"}, {Region: "Ireland"}, {Region: "us-gov-west-1"}, {Region: "cn-north-1", Service: "s3"},
		{Service: "S3"}, {Service: "s3.evil"}, {Service: "../x"}, {Service: "a b"}, {Service: "s3/"}, {Service: "-"}, {Service: "a?b"},
		{Page: "https://example.com/"}, {Page: "https://console.aws.amazon.com.example.com/"}, {Page: "https://xconsole.aws.amazon.com/"},
		{Page: "https://aws.amazon.com/"}, {Page: "https://signin.aws.amazon.com/oauth"}, {Page: "https://console.amazonaws.cn/"},
		{Page: "http://console.aws.amazon.com/"}, {Page: "javascript://console.aws.amazon.com/%0aalert(1)"}, {Page: "javascript:alert(1)"},
		{Page: "https://console.aws.amazon.com@example.com/"}, {Page: "https://a:b@console.aws.amazon.com/"}, {Page: "https://console.aws.amazon.com:8443/"},
		{Page: `https://example.com\.console.aws.amazon.com/`}, {Page: `https://console.aws.amazon.com\x`}, {Page: "https://console.aws.amazon.com./"},
		{Page: "https:///x"}, {Page: "https://x..console.aws.amazon.com/"}, {Page: "https://x_y.console.aws.amazon.com/"}, {Page: "https://%65.console.aws.amazon.com/"},
		{Page: "https://console.aws.amazon.com/a b"}, {Page: "/a b"}, {Page: "/a\nb"}, {Page: "/a\x1b[0m"}, {Page: `/a\b`},
		{Page: "example.com/x"}, {Page: "console.aws.amazon.com/s3"}, {Page: "@example.com"}, {Page: "https:/console.aws.amazon.com/"},
	} {
		if got, err := page.Address("us-east-1"); fault.KindOf(err) != fault.Usage || fault.RemedyOf(err) == nil {
			t.Errorf("%+v: %s, %v", page, got, err)
		}
	}
}

// FuzzConsolePage: whatever is typed, the address is in the console of the partition, as a browser reads it too.
func FuzzConsolePage(f *testing.F) {
	for _, seed := range []string{"/s3/home", "https://console.aws.amazon.com/x#y", "//x", `/\x`, "a?b#c", "https://console.aws.amazon.com\t/"} {
		f.Add(seed, "eu-west-1")
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, page, region string) {
		address, err := ConsolePage{Page: page, Region: region}.Address("us-east-1")
		if err != nil || address == "" {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.User != nil {
			t.Fatalf("%q: %q, %v", page, address, err)
		}
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(address), "https://"), "/")
		host, _, _ = strings.Cut(
			strings.TrimSuffix(
				strings.FieldsFunc(host, func(r rune) bool { return strings.ContainsRune("?#\\", r) })[0],
				":443",
			),
			":",
		)
		if host != "console.aws.amazon.com" && !strings.HasSuffix(host, ".console.aws.amazon.com") {
			t.Fatalf("%q leads to %q", page, address)
		}
		if _, err := ConsoleLink("https://x.awsapps.com/start", "1", "R", address); err != nil {
			t.Fatal(err)
		}
	})
}
