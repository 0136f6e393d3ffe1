package idc

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

func TestAccounts(t *testing.T) {
	t.Parallel()
	c, r, log := newTestClient(
		answer{
			body: `{"nextToken":"page+2","accountList":[{"accountId":"222222222222","accountName":"Büro\u001b[2J \u202eLtd","emailAddress":null},{"accountId":null}]}`,
		},
		answer{
			body: `{"nextToken":null,"accountList":[{"accountId":"222222222222","accountName":"again"},{"accountId":"011111111111","accountName":null,"emailAddress":"a@example.com","new":{}}]}`,
		},
	)
	got, err := c.Accounts(t.Context(), accessToken)
	if err != nil {
		t.Fatal(err)
	}
	want := []session.Account{{ID: "222222222222", Name: "Büro Ltd"}, {ID: "011111111111", Email: "a@example.com"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if len(r.requests) != 2 {
		t.Fatalf("%d requests", len(r.requests))
	}
	for i, want := range []string{"max_result=100", "max_result=100&next_token=page%2B2"} {
		q := r.requests[i]
		if q.method != "GET" || q.host != "portal.sso.us-east-1.amazonaws.com" || q.path != "/assignment/accounts" ||
			sorted(t, q.query) != want {
			t.Errorf("request %d = %s %s%s?%s", i, q.method, q.host, q.path, q.query)
		}
		if q.header.Get("X-Amz-Sso_bearer_token") != accessToken.Reveal() || q.header.Get("Authorization") != "" {
			t.Errorf("request %d does not carry the token alone", i)
		}
	}
	noSecret(t, log.String())
}

func TestRoles(t *testing.T) {
	t.Parallel()
	c, r, _ := newTestClient(
		answer{
			body: `{"nextToken":"","roleList":[{"roleName":"Admin","accountId":null},{"roleName":"Read-Only","accountId":"222222222222"},{"roleName":""}]}`,
		},
	)
	got, err := c.Roles(t.Context(), accessToken, "222222222222")
	if err != nil {
		t.Fatal(err)
	}
	want := []session.Role{{AccountID: "222222222222", Name: "Admin"}, {AccountID: "222222222222", Name: "Read-Only"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if q := r.requests[0]; q.path != "/assignment/roles" ||
		sorted(t, q.query) != "account_id=222222222222&max_result=100" {
		t.Errorf("request = %s?%s", q.path, q.query)
	}
}

// A single page takes one request, whatever the answer is.
func TestPages(t *testing.T) {
	t.Parallel()
	c, r, log := newTestClient(
		answer{
			body: `{"nextToken":"page+2","accountList":[{"accountId":"222222222222","accountName":"Büro\u001b[2J","emailAddress":null},{"accountId":null}]}`,
		},
		answer{body: `{"nextToken":null,"roleList":[{"roleName":"Admin","accountId":null},{"roleName":""}]}`},
		answer{
			status: 429,
			body:   `{"message":"HTTP 429 Unknown Code","__type":"com.amazonaws.switchboard.portal#TooManyRequestsException"}`,
			header: map[string]string{"Retry-After": "3"},
		},
	)
	accounts, next, err := c.AccountsPage(t.Context(), accessToken, "")
	if err != nil || next != "page+2" {
		t.Errorf("next page %q, %v", next, err)
	}
	if d := cmp.Diff([]session.Account{{ID: "222222222222", Name: "Büro"}}, accounts); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	roles, next, err := c.RolesPage(t.Context(), accessToken, "222222222222", "page+2")
	if err != nil || next != "" {
		t.Errorf("next page %q, %v", next, err)
	}
	if d := cmp.Diff([]session.Role{{AccountID: "222222222222", Name: "Admin"}}, roles); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	_, _, err = c.RolesPage(t.Context(), accessToken, "222222222222", "")
	wantFault(t, err, fault.Unavailable, CodeThrottled, "")
	var e *Error
	if !errors.As(err, &e) || e.RetryAfter() != 3*time.Second || !e.Transient() {
		t.Errorf("cause = %+v", e)
	}
	_, _, err = c.AccountsPage(t.Context(), accessToken, "")
	wantFault(t, err, fault.Unavailable, CodeThrottled, "")
	var queries []string
	for _, q := range r.requests {
		queries = append(queries, q.path+"?"+sorted(t, q.query))
	}
	want := []string{
		"/assignment/accounts?max_result=100", "/assignment/roles?account_id=222222222222&max_result=100&next_token=page%2B2",
		"/assignment/roles?account_id=222222222222&max_result=100", "/assignment/accounts?max_result=100",
	}
	if d := cmp.Diff(want, queries); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	noSecret(t, log.String())
}

func TestListsWithoutEnd(t *testing.T) {
	t.Parallel()
	t.Run("the same token", func(t *testing.T) {
		t.Parallel()
		c, r, _ := newTestClient(answer{body: `{"nextToken":"a","roleList":[]}`},
			answer{body: `{"nextToken":"b","roleList":[]}`}, answer{body: `{"nextToken":"a","roleList":[]}`})
		_, err := c.Roles(t.Context(), accessToken, "222222222222")
		wantFault(
			t,
			err,
			fault.Unavailable,
			CodeNonsense,
			`"portal.sso.us-east-1.amazonaws.com" answers with something that is not from IAM Identity Center (status 200, content type application/json): the pages of the list do not end`,
		)
		if len(r.requests) != 3 {
			t.Errorf("%d requests, want 3", len(r.requests))
		}
	})
	t.Run("always a new token", func(t *testing.T) {
		t.Parallel()
		var answers []answer
		for i := range maxPages + 1 {
			answers = append(answers, answer{body: fmt.Sprintf(`{"nextToken":"%d","accountList":[]}`, i)})
		}
		c, r, _ := newTestClient(answers...)
		_, err := c.Accounts(t.Context(), accessToken)
		wantFault(t, err, fault.Unavailable, CodeNonsense, "")
		if len(r.requests) != maxPages {
			t.Errorf("%d requests, want %d", len(r.requests), maxPages)
		}
	})
}

func TestRoleCredentials(t *testing.T) {
	t.Parallel()
	c, r, log := newTestClient(
		answer{
			body:   `{"roleCredentials":{"accessKeyId":"ASIAEXAMPLE","secretAccessKey":"k-S3CR3T","sessionToken":"t-S3CR3T","expiration":1772467920000}}`,
			header: map[string]string{"Date": "Mon, 02 Mar 2026 15:12:00 GMT"},
		},
	)
	got, err := c.RoleCredentials(t.Context(), accessToken, "011111111111", "Admin+x")
	if err != nil {
		t.Fatal(err)
	}
	if got.AccountID != "011111111111" || got.AccessKeyID != "ASIAEXAMPLE" ||
		got.SecretAccessKey.Reveal() != "k-S3CR3T" ||
		got.SessionToken.Reveal() != "t-S3CR3T" ||
		!got.Expiration.Equal(time.Date(2026, 3, 2, 16, 12, 0, 0, time.UTC)) {
		t.Errorf("credentials = %+v", got)
	}
	if q := r.requests[0]; q.path != "/federation/credentials" ||
		sorted(t, q.query) != "account_id=011111111111&role_name=Admin%2Bx" {
		t.Errorf("request = %s?%s", q.path, q.query)
	}
	noSecret(t, log.String())
	for name, body := range map[string]string{
		"no credentials": `{"roleCredentials":null}`,
		"no key":         `{"roleCredentials":{"accessKeyId":null,"secretAccessKey":"S3CR3T","sessionToken":"S3CR3T","expiration":1772467920000}}`,
		"no expiration":  `{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S3CR3T","sessionToken":"S3CR3T"}}`,
		"line break":     `{"roleCredentials":{"accessKeyId":"A\nB","secretAccessKey":"S3CR3T","sessionToken":"S3CR3T","expiration":1}}`,
		"a blank":        `{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S3CR3T S3CR3T","sessionToken":"S3CR3T","expiration":1772467920000}}`,
		"beyond ASCII":   `{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S3CR3T","sessionToken":"S3CR3T\u00e9","expiration":1772467920000}}`,
		"expired":        `{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S3CR3T","sessionToken":"S3CR3T","expiration":1772467919000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _, log := newTestClient(
				answer{body: body, header: map[string]string{"Date": "Mon, 02 Mar 2026 16:11:59 GMT"}},
			)
			_, err := c.RoleCredentials(t.Context(), accessToken, "011111111111", "Admin")
			wantFault(t, err, fault.Unavailable, CodeNonsense, "")
			noSecret(t, log.String())
		})
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		answer
		code Code
	}{
		{"empty body", answer{status: 200, header: map[string]string{"Content-Type": ""}}, ""},
		{"empty object", answer{body: "{}"}, ""},
		{"over already", portalRefusal(401, "UnauthorizedException", "Session token not found or invalid"), ""},
		{"a page in between", answer{status: 200, body: "<html>sign in to the network</html>", header: map[string]string{"Content-Type": "text/html"}}, CodeNonsense},
		{"refused", portalRefusal(400, "InvalidRequestException", "no"), CodeInvalidRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, r, _ := newTestClient(tt.answer)
			err := c.Logout(t.Context(), accessToken)
			if CodeOf(err) != tt.code || (err == nil) != (tt.code == "") {
				t.Errorf("error = %v, want code %q", err, tt.code)
			}
			if q := r.requests[0]; q.method != "POST" || q.path != "/logout" ||
				q.header.Get("X-Amz-Sso_bearer_token") == "" {
				t.Errorf("request = %s %s", q.method, q.path)
			}
		})
	}
}

// sorted returns a query in the order of its keys.
func sorted(t *testing.T, query string) string {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v.Encode()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 3, 2, 16, 12, 0, 0, time.UTC) // the Date header of every answer
	c, r, log := newTestClient(answer{body: `{"accountList":[]}`})
	date, err := c.Check(t.Context(), accessToken)
	if err != nil || !date.Equal(clock) {
		t.Errorf("%v, %v", date, err)
	}
	if q := r.requests[0]; q.path != "/assignment/accounts" || sorted(t, q.query) != "max_result=1" ||
		len(r.requests) != 1 {
		t.Errorf("request = %s?%s", q.path, q.query)
	}
	noSecret(t, log.String())

	c, _, _ = newTestClient(portalRefusal(401, "UnauthorizedException", "Session token not found or invalid"))
	date, err = c.Check(t.Context(), accessToken)
	wantFault(t, err, fault.SignInNeeded, CodeUnauthorized, "")
	if !date.Equal(clock) {
		t.Errorf("the clock of a refusal is %v", date)
	}
}
