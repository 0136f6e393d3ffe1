package idc

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// These tests hold what this package relies on in the AWS SDK, so that an update that changes it turns a test red.

// TestHeaders shows all that the SDK's clients say beside the operation itself: it is to be looked at when it grows.
func TestHeaders(t *testing.T) {
	t.Setenv("AWS_EXECUTION_ENV", "") // the SDK puts it into User-Agent
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDNOTFORUS")
	t.Setenv("AWS_SECRET_ACCESS_KEY", marker)
	t.Setenv("AWS_BEARER_TOKEN_SSO", marker)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") // what counts is in Options
	t.Setenv("AWS_MAX_ATTEMPTS", "9")
	always := []string{"Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "User-Agent"}
	posted, asked := append([]string{"Content-Type"}, always...), append([]string{"X-Amz-Sso_bearer_token"}, always...)
	for _, tt := range []struct {
		name string
		call func(context.Context, *Client) error
		want []string
	}{
		{"RegisterClient", callRegisterPKCE, posted},
		{"StartDeviceAuthorization", callStart, posted},
		{"CreateToken", callRefresh, posted},
		{"ListAccounts", callAccounts, asked},
		{"ListAccountRoles", callRoles, asked},
		{"GetRoleCredentials", callCredentials, asked},
		{"Logout", func(ctx context.Context, c *Client) error { return c.Logout(ctx, accessToken) }, asked},
	} {
		c, r, _ := newTestClient(answer{})
		_ = tt.call(t.Context(), c) // the empty answer is for other tests
		if len(r.requests) != 1 {
			t.Fatalf("%s: %d requests", tt.name, len(r.requests))
		}
		q := r.requests[0]
		var names []string
		for name, values := range q.header {
			names = append(names, name)
			if text := strings.Join(values, " "); strings.Contains(text, marker) && name != "X-Amz-Sso_bearer_token" {
				t.Errorf("%s: a secret in %s", tt.name, name)
			}
		}
		slices.Sort(names)
		slices.Sort(tt.want)
		if d := cmp.Diff(tt.want, names); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, d)
		}
		if !strings.HasSuffix(q.host, ".us-east-1.amazonaws.com") || q.request.URL.Scheme != "https" {
			t.Errorf("%s goes to %s", tt.name, q.request.URL)
		}
		// net/http would send it anew without asking when a connection breaks early; what may be sent twice is decided here.
		if q.method == http.MethodPost && q.request.GetBody != nil {
			t.Errorf("%s can be sent anew", tt.name)
		}
	}
}

// TestAwkwardAnswers: what the SDK makes of answers that are good JSON. No token means that it is none.
func TestAwkwardAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body, token, refresh string
		expires              time.Duration
	}{
		{`{"accessToken":"a","expiresIn":1}`, "a", "", time.Second},
		{`{"accessToken":"a","expiresIn":1,"refreshToken":null,"new":{"x":[1,{}]}}`, "a", "", time.Second},
		{`{"accessToken":"\u00e9\ud83d\ude00\ud800","expiresIn":28800,"refreshToken":"r"}`, "é😀\ufffd", "r", 8 * time.Hour},
		{`{"accessToken":"a","accessToken":"b","expiresIn":7}`, "b", "", 7 * time.Second},
		{` {"accessToken" : "a" , "expiresIn" : 3600 } `, "a", "", time.Hour},
		{`{"accessToken":null,"expiresIn":null}`, "", "", 0},
		{`{"accessToken":1,"expiresIn":1}`, "", "", 0},
		{`{"accessToken":["a"],"expiresIn":1}`, "", "", 0},
		{`{"accessToken":"a","expiresIn":"1"}`, "", "", 0},
		{`{"accessToken":"a","expiresIn":{}}`, "", "", 0},
		{`{"accessToken":"a","expiresIn":true}`, "", "", 0},
		{`{"accessToken":"a","expiresIn":1.5}`, "", "", 0},
		{`{"accessToken":"a","expiresIn":99999999999}`, "", "", 0},
		{`{"accessToken":"","expiresIn":3600}`, "", "", 0},
		{`{"expiresIn":3600}`, "", "", 0},
		{`{}`, "", "", 0},
	} {
		c, _, _ := newTestClient(answer{body: tt.body})
		got, err := c.TokenByRefresh(t.Context(), "id", registration.ClientSecret, refreshToken)
		if got.AccessToken.Reveal() != tt.token || got.RefreshToken.Reveal() != tt.refresh || got.ExpiresIn != tt.expires {
			t.Errorf("%s: %q, %q, %v", tt.body, got.AccessToken.Reveal(), got.RefreshToken.Reveal(), got.ExpiresIn)
		}
		if want := tt.token == ""; (CodeOf(err) == CodeNonsense) != want || (err != nil) != want {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
}

// sdkPartition is a partition in the table that the SDK is generated from.
type sdkPartition struct {
	ID      string
	Outputs struct{ DNSSuffix, DualStackDNSSuffix string }
	Regions map[string]any
}

// TestEveryRegion resolves every region that the SDK knows, and some to come, in all variants, and holds the partitions of
// the console against the SDK's.
func TestEveryRegion(t *testing.T) {
	t.Parallel()
	sdk := sdkPartitions(t)
	toCome := map[string]string{
		"us-gov-north-7": "aws-us-gov", "ap-northwest-12": "aws", "xx-nowhere-1": "aws", "cn-south-9": "aws-cn", "eusc-de-west-2": "aws-eusc",
		"us-iso-south-3": "aws-iso", "us-isob-north-1": "aws-iso-b", "us-isof-north-2": "aws-iso-f", "eu-isoe-east-4": "aws-iso-e",
	}
	consoles := map[partition]string{} // the partition each is of
	for _, p := range sdk {
		for region, id := range toCome {
			if id == p.ID {
				p.Regions[region] = nil
			}
		}
		for region := range p.Regions {
			if strings.HasSuffix(region, "-global") { // has no Identity Center
				continue
			}
			if id, ok := consoles[partitionOf(region)]; ok && id != p.ID {
				t.Errorf("%s is of %s, and its console of %s", region, p.ID, id)
			}
			consoles[partitionOf(region)] = p.ID
			for variant := range 4 {
				e := Endpoints{FIPS: variant&1 > 0, DualStack: variant&2 > 0}
				rest := "." + region + "." + p.Outputs.DNSSuffix
				if e.DualStack {
					rest = "." + region + "." + p.Outputs.DualStackDNSSuffix
				}
				if e.FIPS && (e.DualStack || p.ID != "aws-us-gov") { // there, the usual hosts are FIPS hosts
					rest = "-fips" + rest
				}
				oidc, portal, err := e.URLs(region)
				if err != nil || oidc != "https://oidc"+rest || portal != "https://portal.sso"+rest {
					t.Errorf("%s %+v: %s, %s, %v; want …%s", region, e, oidc, portal, err, rest)
				}
				if host := hostOf(oidc); !e.Known(host, region) {
					t.Errorf("%s is not known as AWS's", host)
				}
			}
		}
	}
	if len(consoles) != len(partitions) || len(consoles) != len(sdk) {
		t.Errorf("%d consoles are met, there are %d, and the SDK has %d partitions", len(consoles), len(partitions), len(sdk))
	}
}

func sdkPartitions(t *testing.T) []sdkPartition {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct{ Partitions []sdkPartition }
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	regions := 0
	for _, p := range table.Partitions {
		regions += len(p.Regions)
	}
	if regions < 40 {
		t.Fatalf("only %d regions are in the SDK's table", regions)
	}
	return table.Partitions
}
