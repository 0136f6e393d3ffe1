//go:build unix

package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

// TestAWS2WrapReadsTheCacheAtAnyMoment: aws2-wrap parses every file in ~/.aws/sso/cache as JSON and fails at the
// first that is not. It must find a token while homing renews it, and after homing was killed in the middle of that.
func TestAWS2WrapReadsTheCacheAtAnyMoment(t *testing.T) {
	t.Parallel()
	aws2wrap, aws := testtools.AWS2Wrap(t), testtools.AWSCLI(t)
	w := newWorld(t, checked)
	w.config(false)
	config := w.path(".aws", "config")
	w.write(config, w.read(config)+"[profile elsewhere]\nsso_start_url = https://d-1234567890.awsapps.com/start\nsso_region = us-east-1\n"+
		"sso_account_id = "+accountID+"\nsso_role_name = "+roleName+"\n")
	w.signIn(false)
	w.expireIn(false, 3*time.Minute) // login renews what ends this soon, and aws2-wrap still takes it
	w.emu.Fail(emulator.OpCreateToken+"/refresh_token", -1, emulator.Fault{Latency: time.Minute})

	arrived := w.nextRefresh()
	renewal := exec.CommandContext(t.Context(), homing(t), "login", "--profile", "dev", "--no-browser")
	renewal.Env, renewal.Dir = w.env(), w.home
	if err := renewal.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = renewal.Process.Kill() }()
	select {
	case <-arrived:
	case <-time.After(patience):
		t.Fatal("homing did not renew")
	}
	reads := func(when string) {
		t.Helper()
		entries, err := os.ReadDir(filepath.Dir(w.tokenPath(false)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if len(names) < 2 {
			t.Errorf("%s the folder holds only %q: nothing of homing's to read", when, names)
		}
		env := append(w.env(), "PATH="+filepath.Dir(aws)+":/usr/bin:/bin")
		out, _ := w.run(env, []int{0}, aws2wrap, "--process", "--profile", "dev")
		var creds struct{ Version int }
		if err := json.Unmarshal([]byte(out), &creds); err != nil || creds.Version != 1 {
			t.Errorf("%s aws2-wrap printed %q beside %s (%v)", when, out, strings.Join(names, " "), err)
		}
		// It stops at the token that it looks for, so look for one that is not there: then it reads every file.
		_, said := w.run(env, []int{1}, aws2wrap, "--process", "--profile", "elsewhere")
		if !strings.Contains(said, "Please login with 'aws sso login --profile=elsewhere'") {
			t.Errorf("%s aws2-wrap said beside %s\n%s", when, strings.Join(names, " "), said)
		}
	}
	reads("during a renewal")
	if err := renewal.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = renewal.Wait()
	reads("after a kill")
}
