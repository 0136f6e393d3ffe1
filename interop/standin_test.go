//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/testtools"
)

// standin is an access portal by other people; see standin/NOTES.md.
type standin struct {
	*testing.T
	url string
	in  io.Writer
	out *bufio.Scanner
}

func newStandin(t *testing.T) *standin {
	t.Helper()
	cmd := exec.Command(testtools.PortalStandin(t), emulator.DefaultRegion)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil || errs.Len() > 0 {
			t.Errorf("the stand-in ended with %v: %s", err, errs.Bytes())
		}
	})
	s := &standin{T: t, in: in, out: bufio.NewScanner(out)}
	s.url = s.line()
	return s
}

func (s *standin) line() string {
	s.Helper()
	if !s.out.Scan() {
		s.Fatalf("the stand-in says nothing: %v", s.out.Err())
	}
	return s.out.Text()
}

// knows tells the portal of an account, a role or a session.
func (s *standin) knows(words ...string) {
	s.Helper()
	if _, err := fmt.Fprintln(s.in, strings.Join(words, " ")); err != nil {
		s.Fatal(err)
	}
	if got := s.line(); got != "ok" {
		s.Fatalf("the stand-in says %q", got)
	}
}

// TestStandinPortal: homing signs in at the emulator and does everything else at the stand-in.
func TestStandinPortal(t *testing.T) {
	t.Parallel()
	s := newStandin(t)
	w := newWorld(t, checked)
	w.config(false)
	w.login(ways[0], homing(t), "login", "--profile", "dev", "--flow", "pkce")
	env := w.env("AWS_ENDPOINT_URL_SSO=" + s.url)
	path := w.path(".aws", "config")
	w.write(path, w.read(path)+"[profile other]\nsso_session = "+sessionName+
		"\nsso_account_id = "+accountID+"\nsso_role_name = Other\n")
	s.knows("account", accountID, "Engine", "engine@example.com")
	s.knows("role", accountID, roleName)

	token := w.token(false)["accessToken"]
	s.knows("session", token)
	credentials := func() (creds struct {
		Version                                    int
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 time.Time
	}) {
		t.Helper()
		out, _ := w.run(env, []int{0}, homing(t), "credentials", "--profile", "dev")
		if err := json.Unmarshal([]byte(out), &creds); err != nil {
			t.Fatalf("credentials: %v", err)
		}
		return creds
	}
	first := credentials()
	if left := time.Until(first.Expiration); first.Version != 1 || !strings.HasPrefix(first.AccessKeyId, "ASIA") ||
		first.SecretAccessKey == "" || !strings.Contains(first.SessionToken, "mock-session-token") ||
		left < 55*time.Minute || left > time.Hour {
		t.Errorf("credentials: version %d, key %s, for %v", first.Version, first.AccessKeyId, left)
	}
	if second := credentials(); second != first { // the portal makes new ones each time
		t.Error("credentials that were good for an hour were fetched again")
	}

	// A role that is not assigned: 404 here, 403 at the real portal.
	_, stderr := w.run(env, []int{5}, homing(t), "credentials", "--profile", "other")
	if !strings.Contains(stderr, `no access to role "Other" in account "`+accountID+`"`) || !strings.Contains(stderr,
		"hint: ") {
		t.Errorf("unassigned: %s", stderr)
	}

	// The lists.
	names := []string{accountID}
	for i := range 24 {
		id := fmt.Sprintf("%012d", i)
		s.knows("account", id, "Engine", "engine@example.com")
		names = append(names, id)
	}
	s.knows("role", accountID, "Reader")
	client := idc.New(idc.Options{Region: emulator.DefaultRegion, Endpoints: idc.Endpoints{OIDC: w.url, Portal: s.url}})
	secret := session.NewSecret(token)
	accounts, err := client.Accounts(t.Context(), secret)
	var got []string
	for _, a := range accounts {
		got = append(got, a.ID)
	}
	slices.Sort(got)
	slices.Sort(names)
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("accounts: %v, %v", got, err)
	}
	roles, err := client.Roles(t.Context(), secret, accountID)
	if err != nil || len(roles) != 2 {
		t.Errorf("roles: %v, %v", roles, err)
	}
	if _, err := client.Roles(t.Context(), secret, "999999999999"); idc.CodeOf(err) != idc.CodeForbidden {
		t.Errorf("roles of an account that is not there: %v", err)
	}

	// A profile that the wizard writes for the session that is there.
	w.run(env, []int{0}, homing(t), "configure", "sso", "--profile", "fresh", "--sso-session", sessionName,
		"--sso-account-id", accountID,
		"--sso-role-name", "Reader", "--region", region, "--output", "json")
	w.run(env, []int{0}, homing(t), "credentials", "--profile", "fresh")

	// The end.
	w.run(env, []int{0}, homing(t), "logout", "--sso-session", sessionName)
	if _, err := os.Stat(w.tokenPath(false)); err == nil {
		t.Error("the token file is there after logout")
	}
	if _, err := client.Accounts(t.Context(), secret); idc.CodeOf(err) != idc.CodeUnauthorized {
		t.Errorf("accounts after logout: %v", err)
	}
	if err := client.Logout(t.Context(), secret); err != nil {
		t.Errorf("logout again: %v", err)
	}
	if err := client.Logout(t.Context(), session.NewSecret("unknown")); err != nil {
		t.Errorf("logout with a token that was never known: %v", err)
	}
}

// TestStandinUnknownToken has homing meet a portal that never heard of its tokens: it renews once, asks once more,
// and says what to type. The refusals are 401 in other words than the real portal's.
func TestStandinUnknownToken(t *testing.T) {
	t.Parallel()
	s := newStandin(t)
	w := newWorld(t, checked)
	w.config(false)
	w.signIn(false)
	_, stderr := w.run(w.env("AWS_ENDPOINT_URL_SSO="+s.url), []int{4}, homing(t), "credentials", "--profile", "dev")
	if !strings.Contains(stderr, "hint: run: homing login --sso-session "+sessionName) || w.refreshes() != 1 {
		t.Errorf("after %d refreshes: %s", w.refreshes(), stderr)
	}
}

const notFound = "{message:Session token not found or invalid," +
	"__type:com.amazonaws.switchboard.portal#UnauthorizedException}"

// differences is the table of standin/NOTES.md. theirs is what the stand-in answers, ours what the emulator does,
// which follows the record of the real portal as far as there is one.
var differences = []struct {
	name, method, path, token string
	theirs, ours              string
}{
	{"accounts", "GET", "/assignment/accounts", "good",
		"200 {accountList:25×{accountId,accountName,emailAddress}}",
		"200 {nextToken,accountList:20×{accountId,accountName,emailAddress:null}}"},
	{"accounts, 100 a page", "GET", "/assignment/accounts?max_result=100", "good",
		"200 {accountList:25×{accountId,accountName,emailAddress}}",
		"200 {nextToken:null,accountList:25×{accountId,accountName,emailAddress:null}}"},
	{"accounts, 1000 a page", "GET", "/assignment/accounts?max_result=1000", "good",
		"200 {accountList:25×{accountId,accountName,emailAddress}}",
		"400 {message:ResultSize parameter must be within the valid limits of: " +
			"1-100,__type:com.amazonaws.switchboard.portal#InvalidRequestException}"},
	{"no token", "GET", "/assignment/accounts", "",
		"401 [UnauthorizedException] {message:Missing access token}",
		"401 " + notFound},
	{"unknown token", "GET", "/assignment/accounts", "unknown",
		"401 [UnauthorizedException] {message:Invalid access token}",
		"401 " + notFound},
	{"roles", "GET", "/assignment/roles?account_id=" + accountID, "good",
		"200 {roleList:1×{accountId,roleName}}",
		"200 {nextToken:null,roleList:1×{roleName,accountId}}"},
	{"roles of no account", "GET", "/assignment/roles", "good",
		"400 [InvalidRequestException] {message:Missing required parameter: account_id}",
		"400 {message:Invalid request,__type:com.amazonaws.switchboard.portal#InvalidRequestException}"},
	{"roles of an unknown account", "GET", "/assignment/roles?account_id=999999999999", "good",
		"404 [ResourceNotFoundException] {message:Account 999999999999 not found}",
		"404 {message:Account not found,__type:com.amazonaws.switchboard.portal#ResourceNotFoundException}"},
	{"role credentials", "GET", "/federation/credentials?account_id=" + accountID + "&role_name=" + roleName, "good",
		"200 {roleCredentials:{accessKeyId,expiration,secretAccessKey,sessionToken}}",
		"200 {roleCredentials:{accessKeyId,secretAccessKey,sessionToken,expiration}}"},
	{"credentials of a role not assigned", "GET", "/federation/credentials?account_id=" + accountID +
		"&role_name=Other", "good",
		"404 [ResourceNotFoundException] {message:Role Other not found for account 123456789012}",
		"403 {message:No access,__type:com.amazonaws.switchboard.portal#ForbiddenException}"},
	{"credentials of no role", "GET", "/federation/credentials?account_id=" + accountID, "good",
		"400 [InvalidRequestException] {message:Missing required parameter: role_name}",
		"400 {message:Invalid request,__type:com.amazonaws.switchboard.portal#InvalidRequestException}"},
	{"wrong method", "POST", "/assignment/accounts", "good",
		"404 [UnknownOperationException] {message:Not found}",
		"405 {message:HTTP 405 Method Not Allowed,__type:com.amazonaws.switchboard.portal#MethodNotAllowedException}"},
	{"logout", "POST", "/logout", "good",
		"200 {}",
		"200"},
	{"logout again", "POST", "/logout", "good",
		"200 {}",
		"401 " + notFound},
	{"accounts after logout", "GET", "/assignment/accounts", "good",
		"401 [UnauthorizedException] {message:Session has been invalidated}",
		"401 " + notFound},
	{"logout of an unknown token", "POST", "/logout", "unknown",
		"401 [UnauthorizedException] {message:Invalid access token}",
		"401 " + notFound},
}

func TestStandinDifferences(t *testing.T) {
	t.Parallel()
	s := newStandin(t)
	directory := &emulator.Directory{Users: []emulator.User{{Name: "ada"}}}
	for i := range 25 {
		id := fmt.Sprintf("%012d", i)
		if i == 0 {
			id = accountID
		}
		directory.Accounts = append(directory.Accounts, emulator.Account{ID: id, Name: "Engine",
			Roles: []emulator.Role{{Name: roleName}}})
		s.knows("account", id, "Engine", "engine@example.com")
		s.knows("role", id, roleName)
	}
	w := &world{T: t, emu: &emulator.Server{Directory: directory}, home: t.TempDir()}
	srv := httptest.NewServer(w.emu)
	defer srv.Close()
	w.url = srv.URL
	w.signIn(false)
	good := w.token(false)["accessToken"]
	s.knows("session", good)

	ask := func(base, method, path, token string) string {
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case "":
		case "good":
			req.Header.Set("x-amz-sso_bearer_token", good)
		default:
			req.Header.Set("x-amz-sso_bearer_token", token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		said := fmt.Sprint(resp.StatusCode)
		if name := resp.Header.Get("X-Amzn-Errortype"); name != "" {
			said += " [" + name + "]"
		}
		if len(body) == 0 {
			return said
		}
		return said + " " + shape(t, body)
	}
	for _, d := range differences {
		if got := ask(s.url, d.method, d.path, d.token); got != d.theirs {
			t.Errorf("%s: the stand-in answers\n\t%s\nwhich was\n\t%s", d.name, got, d.theirs)
		}
		if got := ask(w.url, d.method, d.path, d.token); got != d.ours {
			t.Errorf("%s: the emulator answers\n\t%s\nwhich was\n\t%s", d.name, got, d.ours)
		}
	}
}

// shape is a JSON text without its values, but for nulls and the texts of errors, and with one member of each list.
// The order of keys is kept.
func shape(t *testing.T, text []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	next := func() json.Token {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("an answer that is not JSON: %v", err)
		}
		return token
	}
	var value func(name string) string
	value = func(name string) string {
		switch v := next().(type) {
		case nil:
			return name + ":null"
		case json.Delim:
			var members []string
			for d.More() {
				if v == '{' {
					members = append(members, value(next().(string)))
				} else {
					members = append(members, value(""))
				}
			}
			next()
			if v == '{' {
				return strings.TrimPrefix(name+":", ":") + "{" + strings.Join(members, ",") + "}"
			}
			return fmt.Sprintf("%s:%d×%s", name, len(members), strings.Join(slices.Compact(members), "|"))
		case string:
			if name == "message" || name == "__type" {
				return name + ":" + v
			}
		}
		return name
	}
	return value("")
}

// TestStandinNotes holds the table of standin/NOTES.md against the one here.
func TestStandinNotes(t *testing.T) {
	t.Parallel()
	notes, err := os.ReadFile(filepath.Join("standin", "NOTES.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		for _, answer := range []string{d.theirs, d.ours} {
			if !strings.Contains(string(notes), "`"+answer+"`") {
				t.Errorf("%s: NOTES.md lacks `%s`", d.name, answer)
			}
		}
	}
}
