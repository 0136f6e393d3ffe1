package emulator_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// FuzzServer sends arbitrary requests: no request makes the emulator panic, fail with a server error, or answer a
// success where nobody signed in.
func FuzzServer(f *testing.F) {
	for _, seed := range [][4]string{
		{"POST", "/client/register", "", `{"clientName":"a","clientType":"public"}`},
		{"POST", "/token", "", `{"clientId":"a","clientSecret":"b","grantType":"refresh_token","refreshToken":"c"}`},
		{"POST", "/device_authorization", "", `{"clientId":"a","clientSecret":"b","startUrl":"https://d-9067f00d42.awsapps.com/start"}`},
		{"GET", "/authorize?response_type=code&client_id=a&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Foauth%2Fcallback",
			"", ""},
		{"GET", "/assignment/accounts?max_result=1&next_token=x", "", ""},
		{"POST", "/", "AWS4-HMAC-SHA256 Credential=a/b/c/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
			"Action=GetCallerIdentity&Version=2011-06-15"},
		{"GET", "/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Expires=5",
			"", ""},
		{"POST", "/device", "", "csrf_token=x&user_code=BBBB-BBBB"},
		{"GET", "/consent?request=x", "", ""},
		{"POST", "/_emulator/fail", "", `{"op":"CreateToken","times":1}`},
		{"PATCH", "/_emulator/settings", "", `{"latency":"x"}`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, method, target, authorization, body string) {
		if strings.HasPrefix(target, "/_emulator") && (strings.Contains(body, "latency") ||
			strings.Contains(body+target, "wait")) {
			t.Skip("it may wait for as long as the input says")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:4000"+target, strings.NewReader(body))
		if err != nil {
			t.Skip("no request")
		}
		req.Header.Set("Authorization", authorization)
		req.Header.Set("X-Amz-Date", "20261122T000000Z")
		emu := &emulator.Server{}
		resp, err := emu.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 500 {
			t.Errorf("%s %q: %s", method, target, resp.Status)
		}
		for _, l := range emu.Requests() {
			switch l.Op {
			case emulator.OpRegisterClient, emulator.OpPage:
			default:
				if l.Status < 400 {
					t.Errorf("%s answered %d to a stranger", l.Op, l.Status)
				}
			}
		}
	})
}
