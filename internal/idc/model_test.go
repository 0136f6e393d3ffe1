package idc

import (
	"context"
	"testing"

	"github.com/homing-cli/homing/internal/awsmodel"
)

// TestRequestsFitTheModels validates every request of every call against the service models that botocore ships.
func TestRequestsFitTheModels(t *testing.T) {
	oidc, portalModel := awsmodel.Load(t, "sso-oidc"), awsmodel.Load(t, "sso")
	calls := []struct {
		op   string
		call func(context.Context, *Client) error
		answer
	}{
		{"RegisterClient", callRegister, answer{}},
		{"RegisterClient", callRegisterPKCE, answer{}},
		{"RegisterClient", func(ctx context.Context, c *Client) error {
			_, err := c.Register(ctx, RegisterRequest{ClientName: "homing"})
			return err
		}, answer{}},
		{"StartDeviceAuthorization", callStart, answer{}},
		{"CreateToken", callDevice, answer{}},
		{"CreateToken", callCode, answer{}},
		{"CreateToken", callRefresh, answer{}},
		{"ListAccounts", callAccounts, answer{}},
		{"ListAccounts", callAccounts, answer{body: `{"nextToken":"x","accountList":[]}`}},
		{"ListAccountRoles", callRoles, answer{body: `{"nextToken":"x","roleList":[]}`}},
		{"GetRoleCredentials", callCredentials, answer{}},
		{"Logout", func(ctx context.Context, c *Client) error { return c.Logout(ctx, accessToken) }, answer{}},
	}
	checked := 0
	for _, tt := range calls {
		c, r, _ := newTestClient(tt.answer)
		// What becomes of the answer is for other tests: here most are empty, and the lists never end.
		if err := tt.call(t.Context(), c); err != nil && CodeOf(err) != CodeNonsense {
			t.Errorf("%s: %v", tt.op, err)
		}
		for _, q := range r.requests {
			model := oidc
			if portal(tt.op) {
				model = portalModel
			}
			if got := model.Operation(q.request); got != tt.op {
				t.Errorf("%s %s is the operation %q, want %s", q.method, q.path, got, tt.op)
			}
			if err := model.CheckRequest(tt.op, q.request, []byte(q.body)); err != nil {
				t.Errorf("%s: %v", tt.op, err)
			}
			checked++
		}
	}
	if want := len(calls) + 2; checked != want { // two lists have a second page
		t.Errorf("%d requests checked, want %d", checked, want)
	}
	// The check itself must be able to fail.
	c, r, _ := newTestClient(answer{})
	if err := callDevice(t.Context(), c); err == nil {
		t.Error("an empty answer was taken for a token")
	}
	if err := oidc.CheckRequest("CreateToken", r.requests[0].request, []byte(`{"grant_type":"x"}`)); err == nil {
		t.Error("the model accepts anything")
	}
}
