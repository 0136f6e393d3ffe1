package e2e

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/homing-cli/homing/internal/browsertest"
	"github.com/homing-cli/homing/internal/testtools"
)

// TestDemoInteractive plays the person of homing demo --interactive.
func TestDemoInteractive(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)
	delete(h.env, "AWS_ENDPOINT_URL_SSO_OIDC")
	delete(h.env, "AWS_ENDPOINT_URL_SSO")
	delete(h.env, "AWS_ENDPOINT_URL_STS")

	r := h.start("demo", "--interactive")
	b.Open(r.find(`(http://127\.0\.0\.1:\d+/authorize\?\S+)`))
	b.SignIn("ada")
	b.Allow()
	b.WaitHeading("You are signed in")
	page := r.find(`(?m)^\s*(http://127\.0\.0\.1:\d+/device)$`)
	code := r.find(`(?m)^\s*([A-Z]{4}-[A-Z]{4})$`)
	b.Open(page)
	b.TypeCode(code)
	b.Allow()
	b.WaitHeading("Request approved")
	r.exit(0)
	if _, err := os.Stat(filepath.Join(h.dir, ".aws", "sso")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the demo touched the home folder: %v", err)
	}
}

// TestAWSCLI signs in with the AWS CLI, unmodified, through the same pages in Chromium: by redirect, then by code.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	b := browsertest.New(t)
	h := newHome(t)

	r := h.startProgram(aws, "sso", "login", "--sso-session", "dev", "--no-browser")
	b.Open(r.find(`(http://127\.0\.0\.1:\d+/authorize\?\S+)`))
	b.SignIn("ada")
	b.WaitText("botocore-client-dev asks to act for you")
	b.Allow()
	r.exit(0)

	r = h.startProgram(aws, "sso", "login", "--profile", "old", "--no-browser")
	b.Open(r.find(`(?m)^(http://127\.0\.0\.1:\d+/device)$`))
	b.TypeCode(r.find(`(?m)^([A-Z]{4}-[A-Z]{4})$`))
	b.WaitText("No scope was asked for.")
	b.Allow()
	b.WaitHeading("Request approved")
	r.exit(0)

	if n := h.tokens(); n != 2 {
		t.Errorf("%d token files, want 2", n)
	}
	h.wantCredentials("dev") // homing reads what the AWS CLI wrote
}
