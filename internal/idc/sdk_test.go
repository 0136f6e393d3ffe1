package idc

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/homing-cli/homing/internal/session"
)

// sdkOIDC and sdkPortal are the AWS SDK's clients at the same endpoints, behind a service that answers as given.
func sdkOIDC(t *testing.T, a ...answer) (*ssooidc.Client, *recorded) {
	oidc, _, err := Endpoints{}.URLs("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorded{answers: a}
	return ssooidc.New(
		ssooidc.Options{Region: "us-east-1", BaseEndpoint: &oidc, HTTPClient: clientOf(r), Retryer: aws.NopRetryer{}},
	), r
}

func sdkPortal(t *testing.T, a ...answer) (*sso.Client, *recorded) {
	_, portal, err := Endpoints{}.URLs("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorded{answers: a}
	return sso.New(
		sso.Options{Region: "us-east-1", BaseEndpoint: &portal, HTTPClient: clientOf(r), Retryer: aws.NopRetryer{}},
	), r
}

// TestRequestsAreTheSDKs makes every call with this client and with the AWS SDK's, and compares what the service
// sees.
func TestRequestsAreTheSDKs(t *testing.T) {
	t.Parallel()
	secret, token := registration.ClientSecret.Reveal(), accessToken.Reveal()
	const odd = "a+b/c=d e&f?g#h\"i\\<é>"
	for _, tt := range []struct {
		name string
		ours func(context.Context, *Client) error
		sdk  func(context.Context, *ssooidc.Client, *sso.Client) error
	}{
		{
			"RegisterClient", func(ctx context.Context, c *Client) error {
				_, err := c.Register(ctx, RegisterRequest{ClientName: odd, Scopes: []string{"a", "b"}})
				return err
			}, func(ctx context.Context, o *ssooidc.Client, _ *sso.Client) error {
				_, err := o.RegisterClient(ctx, &ssooidc.RegisterClientInput{ClientName: new(odd),
					ClientType: new("public"), Scopes: []string{"a", "b"}})
				return err
			},
		},
		{
			"RegisterClient for a code", callRegisterPKCE, func(ctx context.Context, o *ssooidc.Client, _ *sso.Client) error {
				_, err := o.RegisterClient(ctx, &ssooidc.RegisterClientInput{
					ClientName: new("homing"), ClientType: new("public"), Scopes: []string{"a", "b"},
					GrantTypes:   []string{grantCode, grantRefresh},
					RedirectUris: []string{RedirectURI}, IssuerUrl: new(startURL),
				})
				return err
			},
		},
		{
			"StartDeviceAuthorization", callStart, func(ctx context.Context, o *ssooidc.Client, _ *sso.Client) error {
				_, err := o.StartDeviceAuthorization(ctx,
					&ssooidc.StartDeviceAuthorizationInput{ClientId: &registration.ClientID, ClientSecret: &secret,
						StartUrl: new(startURL)})
				return err
			},
		},
		{
			"CreateToken for a device code", callDevice, func(ctx context.Context, o *ssooidc.Client, _ *sso.Client) error {
				_, err := o.CreateToken(ctx, &ssooidc.CreateTokenInput{ClientId: &registration.ClientID,
					ClientSecret: &secret, GrantType: new(grantDevice), DeviceCode: new(deviceCode.Reveal())})
				return err
			},
		},
		{
			"CreateToken for a code", func(ctx context.Context, c *Client) error {
				_, err := c.TokenByCode(ctx, registration, session.NewSecret(odd), session.NewSecret("v"), "http://127.0.0.1:1/oauth/callback")
				return err
			}, func(ctx context.Context, o *ssooidc.Client, _ *sso.Client) error {
				_, err := o.CreateToken(ctx, &ssooidc.CreateTokenInput{
					ClientId: &registration.ClientID, ClientSecret: &secret, GrantType: new(grantCode),
					Code: new(odd), CodeVerifier: new("v"),
					RedirectUri: new("http://127.0.0.1:1/oauth/callback"),
				})
				return err
			},
		},
		{
			"CreateToken for a refresh token", callRefresh, func(ctx context.Context, o *ssooidc.Client, _ *sso.Client) error {
				_, err := o.CreateToken(ctx, &ssooidc.CreateTokenInput{ClientId: &registration.ClientID,
					ClientSecret: &secret, GrantType: new(grantRefresh), RefreshToken: new(refreshToken.Reveal())})
				return err
			},
		},
		{
			"ListAccounts", callAccounts, func(ctx context.Context, _ *ssooidc.Client, p *sso.Client) error {
				_, err := p.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: &token,
					MaxResults: new(int32(pageSize))})
				return err
			},
		},
		{
			"ListAccounts, a later page", func(ctx context.Context, c *Client) error {
				_, _, err := c.AccountsPage(ctx, accessToken, odd)
				return err
			}, func(ctx context.Context, _ *ssooidc.Client, p *sso.Client) error {
				_, err := p.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: &token,
					MaxResults: new(int32(pageSize)), NextToken: new(odd)})
				return err
			},
		},
		{
			"ListAccountRoles", func(ctx context.Context, c *Client) error {
				_, _, err := c.RolesPage(ctx, accessToken, "011111111111", odd)
				return err
			}, func(ctx context.Context, _ *ssooidc.Client, p *sso.Client) error {
				_, err := p.ListAccountRoles(ctx, &sso.ListAccountRolesInput{AccessToken: &token,
					AccountId: new("011111111111"), MaxResults: new(int32(pageSize)), NextToken: new(odd)})
				return err
			},
		},
		{
			"GetRoleCredentials", func(ctx context.Context, c *Client) error {
				_, err := c.RoleCredentials(ctx, accessToken, "011111111111", odd)
				return err
			}, func(ctx context.Context, _ *ssooidc.Client, p *sso.Client) error {
				_, err := p.GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: &token,
					AccountId: new("011111111111"), RoleName: new(odd)})
				return err
			},
		},
		{
			"Logout", func(ctx context.Context, c *Client) error { return c.Logout(ctx, accessToken) },
			func(ctx context.Context, _ *ssooidc.Client, p *sso.Client) error {
				_, err := p.Logout(ctx, &sso.LogoutInput{AccessToken: &token})
				return err
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, ours, _ := newTestClient(answer{})
			_ = tt.ours(t.Context(), c) // the empty answer is for other tests
			oidc, theirs := sdkOIDC(t)
			portal, also := sdkPortal(t)
			if err := tt.sdk(t.Context(), oidc, portal); err != nil {
				t.Fatal(err)
			}
			want := append(theirs.requests, also.requests...)
			if len(want) != 1 || len(ours.requests) != 1 {
				t.Fatalf("%d requests, the SDK makes %d", len(ours.requests), len(want))
			}
			sameRequest(t, ours.requests[0], want[0])
		})
	}
}

// sameRequest compares all that a service may look at. AWS's clients also number their calls, and name themselves.
func sameRequest(t *testing.T, got, want sent) {
	t.Helper()
	if got.method != want.method || got.host != want.host || got.path != want.path {
		t.Errorf("request = %s %s%s, the SDK's %s %s%s", got.method, got.host, got.path, want.method, want.host,
			want.path)
	}
	for _, q := range []*string{&got.query, &want.query} {
		values, err := url.ParseQuery(*q)
		if err != nil {
			t.Fatal(err)
		}
		*q = values.Encode()
	}
	if got.query != want.query {
		t.Errorf("query = %q, the SDK's %q", got.query, want.query)
	}
	if (got.body == "") != (want.body == "") {
		t.Errorf("body = %q, the SDK's %q", got.body, want.body)
	} else if want.body != "" {
		sameJSON(t, got.body, want.body)
	}
	if got.request.ContentLength > 0 != (want.request.ContentLength > 0) || got.request.GetBody != nil {
		t.Errorf("length %d, the SDK's %d; can net/http send it anew: %t", got.request.ContentLength,
			want.request.ContentLength, got.request.GetBody != nil)
	}
	ignored := []string{"User-Agent", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"}
	for _, name := range slices.Concat(keys(got.header), keys(want.header)) {
		if !slices.Contains(ignored, name) && !slices.Equal(got.header[name], want.header[name]) {
			t.Errorf("header %s = %q, the SDK's %q", name, got.header[name], want.header[name])
		}
	}
}

func keys(h http.Header) []string {
	var names []string
	for name := range h {
		names = append(names, name)
	}
	return names
}

// TestAnswersAreReadAsTheSDKDoes feeds awkward answers to both.
func TestAnswersAreReadAsTheSDKDoes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"accessToken":"a","expiresIn":1}`, `{"accessToken":"a","expiresIn":1,"refreshToken":null,"new":{"x":[1,{}]}}`,
		`{"accessToken":null,"expiresIn":null}`, `{"accessToken":"\u00e9\ud83d\ude00\ud800","expiresIn":28800,"refreshToken":"r"}`,
		`{"accessToken":"a","accessToken":"b","expiresIn":7}`, `{"accessToken":1,"expiresIn":1}`, `{"accessToken":"a","expiresIn":"1"}`,
		`{"accessToken":"a","expiresIn":{}}`, `{"accessToken":["a"],"expiresIn":1}`, `{"accessToken":"a","expiresIn":1.5}`, `{"accessToken":"a","expiresIn":true}`,
		`{"accessToken":"a","expiresIn":99999999999}`, `{"expiresIn":3600}`, ` {"accessToken" : "a" , "expiresIn" : 3600 } `, `{}`,
	} {
		c, _, _ := newTestClient(answer{body: body})
		got, err := c.TokenByRefresh(t.Context(), "id", registration.ClientSecret, refreshToken)
		oidc, _ := sdkOIDC(t, answer{body: body})
		want, sdkErr := oidc.CreateToken(
			t.Context(),
			&ssooidc.CreateTokenInput{
				ClientId:     new("id"),
				ClientSecret: new("s"),
				GrantType:    new(grantRefresh),
				RefreshToken: new("r"),
			},
		)
		usable := sdkErr == nil && aws.ToString(want.AccessToken) != "" && want.ExpiresIn > 0
		switch {
		case (err == nil) != usable:
			t.Errorf("%s: error %v; the SDK reads %+v, %v", body, err, want, sdkErr)
		case err == nil && (got.AccessToken.Reveal() != *want.AccessToken ||
			int32(got.ExpiresIn.Seconds()) != want.ExpiresIn ||
			got.RefreshToken.Reveal() != aws.ToString(want.RefreshToken)):
			t.Errorf("%s: %q %q %v; the SDK reads %q %q %d", body, got.AccessToken.Reveal(),
				got.RefreshToken.Reveal(), got.ExpiresIn, aws.ToString(want.AccessToken),
				aws.ToString(want.RefreshToken), want.ExpiresIn)
		}
	}
}

// TestEndpointsAreTheSDKs resolves every region that the SDK knows, and some to come, in all variants.
func TestEndpointsAreTheSDKs(t *testing.T) {
	t.Parallel()
	regions := append(sdkRegions(t), "us-gov-north-7", "ap-northwest-12", "xx-nowhere-1", "cn-south-9",
		"eusc-de-west-2", "us-iso-south-3", "us-isob-north-1", "us-isof-north-2", "eu-isoe-east-4")
	for _, region := range regions {
		for variant := range 4 {
			e := Endpoints{FIPS: variant&1 > 0, DualStack: variant&2 > 0}
			oidc, portal, err := e.URLs(region)
			if err != nil {
				t.Errorf("%s: %v", region, err)
				continue
			}
			o, err := ssooidc.NewDefaultEndpointResolverV2().
				ResolveEndpoint(t.Context(), ssooidc.EndpointParameters{Region: &region, UseFIPS: &e.FIPS,
					UseDualStack: &e.DualStack})
			if err != nil || o.URI.String() != oidc {
				t.Errorf("%s %+v: %s; the SDK's is %s, %v", region, e, oidc, o.URI.String(), err)
			}
			p, err := sso.NewDefaultEndpointResolverV2().
				ResolveEndpoint(t.Context(), sso.EndpointParameters{Region: &region, UseFIPS: &e.FIPS,
					UseDualStack: &e.DualStack})
			if err != nil || p.URI.String() != portal {
				t.Errorf("%s %+v: %s; the SDK's is %s, %v", region, e, portal, p.URI.String(), err)
			}
		}
	}
}

// sdkRegions are the regions in the table that the SDK is generated from. Global ones have no Identity Center.
func sdkRegions(t *testing.T) []string {
	t.Helper()
	root := moduleDir(t, "github.com/aws/aws-sdk-go-v2")
	data, err := os.ReadFile(filepath.Join(root, "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Partitions []struct {
			Regions map[string]any `json:"regions"`
		} `json:"partitions"`
	}
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	var regions []string
	for _, p := range table.Partitions {
		for region := range p.Regions {
			if !strings.HasSuffix(region, "-global") {
				regions = append(regions, region)
			}
		}
	}
	if len(regions) < 40 || len(table.Partitions) != len(partitions) {
		t.Fatalf("%d regions in %d partitions, and here are %d partitions", len(regions), len(table.Partitions),
			len(partitions))
	}
	return regions
}

// moduleDir is where the source of a module is.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}
