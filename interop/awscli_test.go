//go:build unix

package interop

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/awsmodel"
	"github.com/homing-cli/homing/internal/testtools"
)

const checked = awsmodel.Requests | awsmodel.Answers

// cliIdentity asks the AWS CLI who the profile is.
func (w *world) cliIdentity(aws, profile string) {
	w.Helper()
	out, _ := w.run(w.env(), []int{0}, aws, "sts", "get-caller-identity", "--profile", profile, "--output", "json")
	var who struct{ Account, Arn string }
	if err := json.Unmarshal([]byte(out), &who); err != nil || who.Account != accountID || !strings.HasPrefix(who.Arn,
		arn) {
		w.Errorf("get-caller-identity: %s (%v)", out, err)
	}
}

// granted counts what the emulator granted by each way.
func (w *world) granted(grant string) (n int) {
	for _, r := range w.emu.Requests() {
		if r.Op == emulator.OpCreateToken && r.Grant == grant && r.Status == 200 {
			n++
		}
	}
	return n
}

// finish answers the part of `aws configure sso` that follows the sign-in.
func finish(x *terminal, profile string) {
	x.t.Helper()
	x.expect("The only AWS account available to you is: " + accountID)
	x.expect("Using the account ID " + accountID)
	x.expect("The only role available to you is: " + roleName)
	x.expect(`Using the role name "` + roleName + `"`)
	x.answer("Default client Region [None]:", region)
	x.answer("CLI default output format (json if not specified) [None]:", "json")
	x.answer("Profile name ["+roleName+"-"+accountID+"]:", profile)
	if code, text := x.wait(); code != 0 {
		x.t.Fatalf("exit code %d:\n%s", code, text)
	}
}

// cliLogout logs out and checks that nothing is left to use, here or at the service.
func (w *world) cliLogout(aws string, legacy bool) {
	w.Helper()
	w.run(w.env(), []int{0}, aws, "sso", "logout")
	if _, err := os.Stat(w.tokenPath(legacy)); !os.IsNotExist(err) {
		w.Errorf("after aws sso logout the token file is still there: %v", err)
	}
	last := w.emu.Requests()[len(w.emu.Requests())-1]
	if last.Op != emulator.OpLogout || last.Status != 200 {
		w.Errorf("the last request is %s with %d, want Logout with 200", last.Op, last.Status)
	}
	_, stderr := w.run(w.env(), []int{255, 253}, aws, "sts", "get-caller-identity", "--profile", "dev")
	if !strings.Contains(stderr, "aws sso login") && !strings.Contains(stderr, "does not exist") {
		w.Errorf("after logout the AWS CLI says %q", stderr)
	}
}

func TestAWSCLISignsInByPKCE(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	w := newWorld(t, checked)
	version, _ := w.run(w.env(), []int{0}, aws, "--version")
	t.Log(strings.TrimSpace(version))
	if !strings.HasPrefix(version, "aws-cli/2.") {
		t.Fatal("not the AWS CLI 2")
	}
	browser, visits := w.browser(w.emu.Person())
	env := w.env(browser)

	x := w.terminal(env, aws, "configure", "sso")
	x.answer("SSO session name (Recommended):", sessionName)
	x.answer("SSO start URL [None]:", emulator.DefaultStartURL)
	x.answer("SSO region [None]:", emulator.DefaultRegion)
	x.answer("SSO registration scopes [sso:account:access]:", "")
	w.visited(visits)
	finish(x, "dev")
	if w.granted("authorization_code") != 1 || w.granted("device_code") != 0 {
		t.Error("the sign-in was not by authorization code")
	}

	w.cliIdentity(aws, "dev")
	w.expire(false)
	w.renewedBy("the AWS CLI", func() { w.cliIdentity(aws, "dev") })

	out, _ := w.run(env, []int{0}, aws, "sso", "login", "--sso-session", sessionName)
	if want := "Successfully logged into Start URL: " + emulator.DefaultStartURL; !strings.Contains(out, want) {
		t.Errorf("aws sso login says %q, want %q", out, want)
	}
	w.visited(visits)
	if w.granted("authorization_code") != 2 {
		t.Error("aws sso login did not sign in by authorization code")
	}
	w.cliLogout(aws, false)
}

func TestAWSCLISignsInByDeviceCode(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	w := newWorld(t, checked)
	browser, visits := w.browser(w.emu.Person())
	env := w.env(browser)

	x := w.terminal(env, aws, "configure", "sso", "--use-device-code")
	x.answer("SSO session name (Recommended):", sessionName)
	x.answer("SSO start URL [None]:", emulator.DefaultStartURL)
	x.answer("SSO region [None]:", emulator.DefaultRegion)
	x.answer("SSO registration scopes [sso:account:access]:", "")
	w.visited(visits)
	finish(x, "dev")

	w.cliIdentity(aws, "dev")
	w.expire(false)
	w.renewedBy("the AWS CLI", func() { w.cliIdentity(aws, "dev") })

	// Nothing is opened; a person reads the page and the code, and types it elsewhere.
	person := w.emu.Person()
	x = w.terminal(w.env(), aws, "sso", "login", "--profile", "dev", "--use-device-code", "--no-browser")
	x.expect("enter the code:")
	waiting, err := w.emu.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x.expect(waiting.UserCode)
	person.UserCode = waiting.UserCode
	if err := person.Open(t.Context(), w.url+"/device"); err != nil {
		t.Error(err)
	}
	x.expect("Successfully logged into Start URL: " + emulator.DefaultStartURL)
	if code, text := x.wait(); code != 0 {
		t.Errorf("aws sso login: exit code %d\n%s", code, text)
	}
	if w.granted("device_code") != 2 || w.granted("authorization_code") != 0 {
		t.Error("the sign-ins were not by device code")
	}
	w.cliLogout(aws, false)
}

func TestAWSCLISignsInByTheLegacyFormat(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	w := newWorld(t, checked)
	browser, visits := w.browser(w.emu.Person())
	env := w.env(browser)

	x := w.terminal(env, aws, "configure", "sso")
	x.answer("SSO session name (Recommended):", "")
	x.expect("WARNING: Configuring using legacy format (e.g. without an SSO session).")
	x.answer("SSO start URL [None]:", emulator.DefaultStartURL)
	x.answer("SSO region [None]:", emulator.DefaultRegion)
	w.visited(visits)
	finish(x, "dev")
	if got := w.token(true); got["refreshToken"] != "" || got["accessToken"] == "" {
		t.Error("the legacy token file holds a refresh token or no access token")
	}
	w.cliIdentity(aws, "dev")

	out, _ := w.run(env, []int{0}, aws, "sso", "login", "--profile", "dev")
	if !strings.Contains(out, "Successfully logged into Start URL: "+emulator.DefaultStartURL) {
		t.Errorf("aws sso login says %q", out)
	}
	w.visited(visits)
	w.cliIdentity(aws, "dev")
	w.cliLogout(aws, true)
}

// TestAWSCLITellsADenial shows that a refusal in the browser reaches the AWS CLI by both ways.
func TestAWSCLITellsADenial(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	for name, flags := range map[string][]string{"PKCE": nil, "device code": {"--use-device-code"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, checked)
			w.config(false)
			person := w.emu.Person()
			person.Deny = true
			browser, visits := w.browser(person)
			_, stderr := w.run(w.env(browser), []int{254, 255}, aws, append([]string{"sso", "login", "--profile",
				"dev"}, flags...)...)
			w.visited(visits)
			if strings.TrimSpace(stderr) == "" {
				t.Error("the AWS CLI says nothing")
			}
			t.Log(strings.TrimSpace(stderr))
			if _, err := os.Stat(w.tokenPath(false)); !os.IsNotExist(err) {
				t.Errorf("a token file in %s after a denial: %v", filepath.Dir(w.tokenPath(false)), err)
			}
		})
	}
}

// TestAWSCLIAgainstTheEmulatorCommand signs in with what `homing emulator` prints and nothing else.
func TestAWSCLIAgainstTheEmulatorCommand(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	w := &world{T: t, home: t.TempDir()}
	cmd := exec.CommandContext(t.Context(), homing(t), "emulator")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var exports []string
	startURL := ""
	for lines := bufio.NewScanner(out); startURL == "" && lines.Scan(); {
		if export, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			exports = append(exports, export)
		}
		if _, after, ok := strings.Cut(lines.Text(), "start URL:"); ok {
			startURL = strings.TrimSpace(after)
		}
	}
	if len(exports) != 3 || startURL == "" {
		t.Fatalf("homing emulator printed %d exports and the start URL %q", len(exports), startURL)
	}
	w.write(w.path(".aws", "config"), "[profile dev]\nsso_session = e\nsso_account_id = 0\nsso_role_name = "+
		"none\nregion = us-east-1\n"+
		"[sso-session e]\nsso_start_url = "+startURL+"\nsso_region = us-east-1\nsso_registration_scopes = "+
		"sso:account:access\n")
	browser, visits := w.browser(new(emulator.Person))
	env := w.env(append(exports, browser)...)
	w.run(env, []int{0}, aws, "sso", "login", "--sso-session", "e")
	w.visited(visits)
	_, stderr := w.run(env, []int{254}, aws, "sts", "get-caller-identity", "--profile", "dev")
	if !strings.Contains(stderr, "ForbiddenException") || !strings.Contains(stderr, "No access") {
		t.Errorf("an account that is not assigned: %s", stderr)
	}
}
