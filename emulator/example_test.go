package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// post is all that this example's client can do: one JSON request.
func post(url string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	resp, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Header.Get("x-amzn-ErrorType"))
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// A tool that signs in by device code, tested against the emulator: the test plays the person.
func Example() {
	emu := &emulator.Server{}
	srv := httptest.NewServer(emu)
	defer srv.Close()
	// The environment of the program under test; in a test of your own: t.Setenv(name, value).
	env := emulator.Environment(srv.URL)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Println(name, env[name] == srv.URL)
	}

	// The tool registers, asks for a device code and shows the user code to the person.
	var client struct{ ClientID, ClientSecret string }
	if err := post(srv.URL+"/client/register", map[string]any{"clientName": "my tool", "clientType": "public",
		"scopes": []string{"sso:account:access"}}, &client); err != nil {
		log.Fatal(err)
	}
	var device struct{ DeviceCode, UserCode string }
	if err := post(srv.URL+"/device_authorization", map[string]any{"clientId": client.ClientID,
		"clientSecret": client.ClientSecret, "startUrl": emulator.DefaultStartURL}, &device); err != nil {
		log.Fatal(err)
	}

	// The test sees what the person would see, and says yes.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	pending, err := emu.Pending(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pending.Kind, pending.ClientName, pending.Scopes, pending.UserCode == device.UserCode)
	if err := emu.Approve(ctx); err != nil {
		log.Fatal(err)
	}

	// The tool polls and gets its tokens.
	var token struct {
		AccessToken, RefreshToken string
		ExpiresIn                 int
	}
	if err := post(srv.URL+"/token", map[string]any{"clientId": client.ClientID, "clientSecret": client.ClientSecret,
		"grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": device.DeviceCode},
		&token); err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.ExpiresIn, token.RefreshToken != "")

	for _, r := range emu.Requests() {
		fmt.Println(r.Op, r.Grant, r.Status)
	}
	fmt.Println(len(emu.Unexpected()), "unexpected requests")
	// Output:
	// AWS_ENDPOINT_URL_SSO true
	// AWS_ENDPOINT_URL_SSO_OIDC true
	// AWS_ENDPOINT_URL_STS true
	// device_code my tool [sso:account:access] true
	// 3600 true
	// RegisterClient  200
	// StartDeviceAuthorization  200
	// CreateToken device_code 200
	// 0 unexpected requests
}

// What does a program do when the answer to a refresh is lost on the way? The single-use token is spent all the same.
func ExampleServer_Fail() {
	emu := &emulator.Server{}
	emu.Fail("CreateToken/refresh_token", 1, emulator.Fault{Drop: emulator.DropAfter})
	emu.Fail(emulator.OpListAccounts, 3, emulator.Fault{Error: "TooManyRequestsException"})
	emu.Fail(emulator.OpGetRoleCredentials, -1, emulator.Fault{Latency: 2 * time.Second})
	emu.Fail(emulator.OpRegisterClient, 1, emulator.Fault{Body: "<html>please log in to the hotel</html>"})
}

// A client that opens a browser gets a person instead. The person signs in, allows, and follows the redirect to the
// client's own listener.
func ExamplePerson() {
	emu := &emulator.Server{}
	person := emu.Person()
	openBrowser := person.Open // func(ctx context.Context, url string) error
	_ = openBrowser
}
