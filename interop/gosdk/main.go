// Command gosdk is the AWS SDK for Go as a program: one request a line in, one answer a line out (see clients_test.go
// of the folder above).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/homing-cli/homing/interop/clock"
)

type request struct {
	Do, Profile, Service, Op, Names string
}

type answer struct {
	Version string `json:"version,omitempty"`
	Account string `json:"account,omitempty"`
	Arn     string `json:"arn,omitempty"`
	Expires string `json:"expires,omitempty"`

	Profiles []string `json:"profiles,omitempty"`

	Type    string `json:"type,omitempty"` // name of the typed exception
	Code    string `json:"code,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`

	Error string `json:"error,omitempty"` // anything that is not the service's refusal of a call
}

// sdkNow is the SDK's own clock, which its tests set. Go asks the system for the time past the C library, so the
// clock that the other clients see (see interop/clock) has to be set here.
//
//go:linkname sdkNow github.com/aws/aws-sdk-go-v2/internal/sdk.NowTime
var sdkNow func() time.Time

func main() {
	if clock.Moved() {
		sdkNow = clock.Now
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		a, err := serve(context.Background(), r)
		if err != nil {
			a = answer{Error: fmt.Sprintf("%T", err), Message: err.Error()}
		}
		line, err := json.Marshal(a)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}

func serve(ctx context.Context, r request) (answer, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(r.Profile))
	if err != nil {
		return answer{}, err
	}
	switch r.Do {
	case "again":
		if kept == nil {
			kept = sts.NewFromConfig(cfg)
		}
		return identity(ctx, kept)
	case "profiles":
		return profiles(ctx, strings.Split(r.Names, "\n"))
	case "version":
		return answer{Version: "AWS SDK for Go " + aws.SDKVersion}, nil
	case "identity":
		return identity(ctx, sts.NewFromConfig(cfg))
	case "token":
		return token(ctx, cfg, r.Profile)
	case "call":
		return call(ctx, cfg, r.Op), nil
	}
	return answer{}, fmt.Errorf("cannot do %q", r.Do)
}

// kept is a client that lives as long as this process.
var kept *sts.Client

func identity(ctx context.Context, client *sts.Client) (answer, error) {
	out, err := client.GetCallerIdentity(ctx, nil)
	if err != nil {
		return answer{}, err
	}
	return answer{Account: aws.ToString(out.Account), Arn: aws.ToString(out.Arn)}, nil
}

// profiles returns those of the names that the SDK loads as profiles that stand on an [sso-session]. It has nothing
// that lists profiles.
func profiles(ctx context.Context, names []string) (a answer, err error) {
	for _, name := range names {
		p, err := config.LoadSharedConfigProfile(ctx, name)
		if err != nil {
			return answer{}, err
		}
		if p.Profile == name && p.SSOAccountID != "" && p.SSOSession != nil {
			a.Profiles = append(a.Profiles, name)
		}
	}
	return a, nil
}

func token(ctx context.Context, cfg aws.Config, profile string) (answer, error) {
	shared, err := config.LoadSharedConfigProfile(ctx, profile)
	if err != nil {
		return answer{}, err
	}
	path, err := ssocreds.StandardCachedTokenFilepath(shared.SSOSessionName)
	if err != nil {
		return answer{}, err
	}
	cfg.Region = shared.SSOSession.SSORegion
	t, err := ssocreds.NewSSOTokenProvider(ssooidc.NewFromConfig(cfg), path).RetrieveBearerToken(ctx)
	if err != nil {
		return answer{}, err
	}
	return answer{Expires: t.Expires.UTC().Format("2006-01-02T15:04:05Z")}, nil
}

// call calls op with made-up arguments and tells how its refusal is typed.
func call(ctx context.Context, cfg aws.Config, op string) answer {
	cfg.Region = "us-east-1"
	some := aws.String("111111111111")
	portal, oidc := sso.NewFromConfig(cfg), ssooidc.NewFromConfig(cfg)
	var err error
	switch op {
	case "RegisterClient":
		_, err = oidc.RegisterClient(ctx, &ssooidc.RegisterClientInput{ClientName: some,
			ClientType: aws.String("public")})
	case "StartDeviceAuthorization":
		_, err = oidc.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{ClientId: some,
			ClientSecret: some, StartUrl: some})
	case "CreateToken":
		_, err = oidc.CreateToken(ctx, &ssooidc.CreateTokenInput{ClientId: some, ClientSecret: some,
			GrantType: aws.String("refresh_token"), RefreshToken: some})
	case "ListAccounts":
		_, err = portal.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: some})
	case "ListAccountRoles":
		_, err = portal.ListAccountRoles(ctx, &sso.ListAccountRolesInput{AccessToken: some, AccountId: some})
	case "GetRoleCredentials":
		_, err = portal.GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: some, AccountId: some,
			RoleName: some})
	case "Logout":
		_, err = portal.Logout(ctx, &sso.LogoutInput{AccessToken: some})
	default:
		return answer{Error: "cannot call " + op}
	}
	return refusal(err)
}

func refusal(err error) answer {
	if err == nil {
		return answer{Status: 200}
	}
	var a answer
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		a.Code, a.Message = api.ErrorCode(), api.ErrorMessage()
		if t := reflect.TypeOf(api); t.Kind() == reflect.Pointer && strings.HasSuffix(t.Elem().PkgPath(), "/types") {
			a.Type = t.Elem().Name()
			if description := reflect.ValueOf(api).Elem().FieldByName("Error_description"); description.IsValid() &&
				!description.IsNil() {
				a.Message = description.Elem().String()
			}
		}
	} else {
		a.Error, a.Message = fmt.Sprintf("%T", err), err.Error()
	}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		a.Status = response.HTTPStatusCode()
	}
	return a
}
