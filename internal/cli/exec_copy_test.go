//go:build !windows

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
)

// What the command finds: no way to credentials but the endpoint, and the person's own files for a homing inside.
func TestRenewEnvironment(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"], vars["AWS_DEFAULT_PROFILE"] = "AKIAX", "x", "default"
	x := startHoming(
		t,
		vars,
		"exec",
		"--renew",
		"--profile",
		"dev",
		"--",
		"sh",
		"-c",
		`env | grep ^AWS_ | sed 's/=.*//' | sort | tr '\n' ' '; echo; echo "$AWS_CONFIG_FILE"; stat -c %a "$AWS_CONFIG_FILE" "${AWS_CONFIG_FILE%/*}"; wc -c <"$AWS_SHARED_CREDENTIALS_FILE"; echo ${BOTO_CONFIG-none}`,
	)
	want := "AWS_CONFIG_FILE AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_DEFAULT_REGION " +
		"AWS_ENDPOINT_URL_SSO AWS_ENDPOINT_URL_SSO_OIDC AWS_ENDPOINT_URL_STS AWS_REGION AWS_SHARED_CREDENTIALS_FILE "
	if got := x.line(); got != want {
		t.Errorf("variables\n%s, want\n%s", got, want)
	}
	config := x.line()
	if !strings.HasPrefix(config, p.home) {
		t.Errorf("config at %s", config)
	}
	if modes := x.line() + " " + x.line(); modes != "600 700" {
		t.Errorf("modes %s", modes)
	}
	if size := strings.TrimSpace(x.line()); size != "0" {
		t.Errorf("credentials file of %s bytes", size)
	}
	if got := x.line(); got != "none" {
		t.Errorf("BOTO_CONFIG is %s without such a file", got)
	}
	x.ends(0)
	inside := startHoming(
		t,
		vars,
		"exec",
		"--renew",
		"--profile",
		"dev",
		"--",
		"sh",
		"-c",
		`cat "$AWS_CONFIG_FILE"; echo; `+envRaw+`=1 "$0" exec --profile a/b -- sh -c 'echo $HOMING_PROFILE $AWS_CONFIG_FILE $HOMING_EXEC_COPY $AWS_CONTAINER_CREDENTIALS_FULL_URI'`,
		self(t),
	)
	var got []string
	for inside.out.Scan() {
		got = append(got, inside.out.Text())
	}
	text := strings.Join(got, "\n")
	if want := "[default]\nregion = eu-west-1\n[profile dev]\nregion = eu-west-1\n\na/b " + filepath.Join(p.home, ".aws", "config"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	inside.ends(0)
	if cfg := awsconfig.Parse("copy", []byte(strings.Join(got[:4], "\n"))); cfg.CLIError() != nil {
		t.Error(cfg.CLIError())
	}
}

// The SDK before boto3 had files of its own, which botocore still asks before an endpoint; gsutil reads them for
// Google's keys.
func TestRenewBoto(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	const keys, none = "[Credentials]\nAWS_Access_Key_Id=AKIABOTO\naws_secret_access_key=x\n", "[Credentials]\n#aws_access_key_id = x\ngs_oauth2_refresh_token = x\n"
	for name, text := range map[string]string{".boto": keys, "other": keys, "google": none} {
		if err := os.WriteFile(filepath.Join(p.home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	google := filepath.Join(p.home, "google")
	for _, row := range []struct{ set, want string }{
		{"", os.DevNull}, {filepath.Join(p.home, "other"), os.DevNull}, {"~/other", os.DevNull}, {"${HOME}/other", os.DevNull},
		{google, google}, {"/nowhere", "/nowhere"},
	} {
		delete(vars, "BOTO_CONFIG")
		if row.set != "" {
			vars["BOTO_CONFIG"] = row.set
		}
		x := startHoming(t, vars, "exec", "--renew", "--profile", "dev", "--", "sh", "-c", `echo "${BOTO_CONFIG-none}"`)
		if got := x.line(); got != row.want {
			t.Errorf("BOTO_CONFIG=%s: the command has %s, want %s", row.set, got, row.want)
		}
		x.ends(0)
		x = startHoming(t, vars, "serve", "dev")
		await(t, "listening", func() bool { return strings.Contains(x.stderr.String(), "Until Ctrl-C") })
		if warned := strings.Contains(x.stderr.String(), "boto3 prefers the keys in"); warned != (row.want == os.DevNull) {
			t.Errorf("BOTO_CONFIG=%s: warned %v:\n%s", row.set, warned, x.stderr)
		}
		if err := x.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		x.ends(0)
	}
	delete(vars, "BOTO_CONFIG")
	x := startHoming(t, vars, "exec", "--profile", "dev", "--", "sh", "-c", `echo "${BOTO_CONFIG-none}"`)
	if got := x.line(); got != "none" {
		t.Errorf("with keys in the environment BOTO_CONFIG is %s", got)
	}
	x.ends(0)
	vars["AWS_CREDENTIAL_FILE"], vars["AMAZON_ACCESS_KEY_ID"], vars["AMAZON_SECRET_ACCESS_KEY"], vars["AMAZON_SESSION_TOKEN"] = "x", "x", "x", "x"
	for _, renew := range []string{"--renew", "--renew=false"} {
		x := startHoming(t, vars, "exec", renew, "--profile", "dev", "--", "sh", "-c",
			"env | grep -E '^(AMAZON|AWS_CREDENTIAL_FILE)'; echo end")
		if got := x.line(); got != "end" {
			t.Errorf("%s: %s is passed on", renew, got)
		}
		x.ends(0)
	}
}

// What a killed run left is swept by the next once its command has ended too, and what a living one uses is not.
func TestRenewSwept(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	living := renewing(t, vars)
	living.ask()
	killed := startHoming(t, vars, "exec", "--renew", "--profile", "dev", "--", "sh", "-c",
		`echo $$; while read x; do cat "$AWS_CONFIG_FILE" 2>&1 | head -n 1; done`)
	pid, err := strconv.Atoi(killed.line())
	if err != nil {
		t.Fatal(err)
	}
	if got := killed.ask(); got != "[default]" {
		t.Fatalf("config: %s", got)
	}
	if n := len(p.copies(t)); n != 2 {
		t.Fatalf("%d folders", n)
	}
	await(t, "word of the two processes", func() bool { // homing writes it while the command runs already
		return !slices.ContainsFunc(p.copies(t), func(dir string) bool {
			_, err := os.Stat(filepath.Join(dir, "command"))
			return err != nil
		})
	})
	if err := killed.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = killed.cmd.Process.Wait()
	next := renewing(t, vars)
	next.ask()
	if got := killed.ask(); got != "[default]" || len(p.copies(t)) != 3 {
		t.Errorf("the command lives, and its config is %q in %q", got, p.copies(t))
	}
	_ = killed.stdin.Close()
	await(t, "end of the command", func() bool { return gone(pid) })
	last := renewing(t, vars)
	last.ask()
	if dirs := p.copies(t); len(dirs) != 3 {
		t.Errorf("folders after the next run: %q", dirs)
	}
	for _, x := range []*running{living, next, last} {
		if status, _, _ := three(t, x.ask()); status != "200" {
			t.Error(status)
		}
		x.ends(0)
	}
	if dirs := p.copies(t); len(dirs) != 0 {
		t.Errorf("left: %q", dirs)
	}
}

// gone reports whether a process has ended. A zombie has: nobody reaps it in some containers.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
