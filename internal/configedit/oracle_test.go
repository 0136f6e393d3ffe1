package configedit

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	sdkconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/testtools"
)

// oracles are the two real readers: botocore in a Python process that lives as long as the test binary, and the Go
// SDK's own loader.
type oracles struct {
	mu     sync.Mutex
	in     io.WriteCloser
	out    *bufio.Reader
	folder string // for the files that the Go SDK reads
	err    error
}

var (
	theOracles  oracles
	oraclesOnce sync.Once
)

func askable(t testing.TB) *oracles {
	t.Helper()
	python := testtools.Python(t)
	oraclesOnce.Do(func() { theOracles.err = theOracles.start(python) })
	if theOracles.err != nil {
		t.Fatal(theOracles.err)
	}
	return &theOracles
}

func (o *oracles) start(python string) (err error) {
	if o.folder, err = os.MkdirTemp("", "homing-awsconfig-"); err != nil {
		return err
	}
	cmd := exec.Command(python, "-X", "utf8", filepath.Join("testdata", "oracle.py"))
	cmd.Env = append(os.Environ(), "ORACLE_DIR="+o.folder, "AWS_PROFILE=", "AWS_CONFIG_FILE=",
		"AWS_SHARED_CREDENTIALS_FILE=")
	cmd.Stderr = os.Stderr
	if o.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	o.out = bufio.NewReaderSize(out, 1<<20)
	return cmd.Start()
}

// TestMain ends the Python process and removes what it used.
func TestMain(m *testing.M) {
	if childMain() {
		return
	}
	code := m.Run()
	if theOracles.in != nil {
		_ = theOracles.in.Close()
		_ = os.RemoveAll(theOracles.folder)
	}
	os.Exit(code)
}

// reading is what one reader makes of a file: names to keys to values, nested blocks as maps.
type reading struct {
	Error    string                    `json:"error"`
	Profiles map[string]map[string]any `json:"profiles"`
	Sessions map[string]map[string]any `json:"sso_sessions"`
	Services map[string]map[string]any `json:"services"`
}

func (o *oracles) botocore(t testing.TB, config string, credentials ...string) reading {
	t.Helper()
	request := map[string]string{"config": base64.StdEncoding.EncodeToString([]byte(config))}
	for _, c := range credentials {
		request["credentials"] = base64.StdEncoding.EncodeToString([]byte(c))
	}
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		t.Fatal("the Python oracle has ended: ", err)
	}
	answer, err := o.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("the Python oracle did not answer to %q: %v", config, err)
	}
	var r reading
	if err := json.Unmarshal(answer, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// ours is the reading of this package through its own API.
func ours(c *awsconfig.Config) reading {
	return reading{
		Profiles: all(c,
			grammar.KindProfile), Sessions: all(c, grammar.KindSession), Services: all(c, grammar.KindServices),
	}
}

func all(c *awsconfig.Config, kind string) map[string]map[string]any {
	m := make(map[string]map[string]any)
	for _, name := range c.Names(kind) {
		m[name] = flat(must(c.Section(kind, name)))
	}
	return m
}

// must drops the second result of a look-up: what is not there has no keys.
func must(p awsconfig.Profile, _ bool) awsconfig.Profile { return p }

func flat(p awsconfig.Profile) map[string]any {
	m := make(map[string]any)
	for _, key := range p.Keys() {
		o, _ := p.Option(key)
		if !o.Nested {
			m[key] = o.Value
			continue
		}
		subs := make(map[string]any)
		for _, kv := range o.Subs {
			subs[kv.Key] = kv.Value
		}
		m[key] = subs
	}
	return m
}

// checkCLI compares our reading by the AWS CLI's rules with botocore's.
func (o *oracles) checkCLI(t testing.TB, config string, credentials ...string) {
	t.Helper()
	c := awsconfig.Parse("config", []byte(config))
	if len(credentials) > 0 {
		var err error
		if c, err = awsconfig.Load(write(t, config, credentials...)); err != nil {
			t.Fatal(err)
		}
	}
	theirs := o.botocore(t, config, credentials...)
	err := c.CLIError()
	if (err != nil) != (theirs.Error != "") {
		t.Fatalf("we say %v, botocore says %q\n%q\n%q", err, theirs.Error, config, credentials)
	}
	if err != nil {
		return
	}
	if mine := ours(c); !reflect.DeepEqual(mine, theirs) {
		t.Fatalf("read differently\n%q\n%q\nwe       %v\nbotocore %v", config, credentials, mine, theirs)
	}
	for _, kind := range []string{grammar.KindProfile, grammar.KindSession, grammar.KindServices} {
		for _, name := range c.Names(kind) {
			key := Section{kind, name}
			if a, b := flat(must(c.Section(kind, name))), flat(must(c.IndexedSection(kind, name))); !reflect.DeepEqual(
				a,
				b,
			) {
				t.Fatalf("find and index differ for %v: %v, %v\n%q", key, a, b, config)
			}
		}
	}
}

// sdkFields are the keys whose values the Go SDK's loader shows as they are.
var sdkFields = map[string]func(*sdkconfig.SharedConfig) string{
	"region":             func(c *sdkconfig.SharedConfig) string { return c.Region },
	"sso_session":        func(c *sdkconfig.SharedConfig) string { return c.SSOSessionName },
	"sso_region":         func(c *sdkconfig.SharedConfig) string { return c.SSORegion },
	"sso_start_url":      func(c *sdkconfig.SharedConfig) string { return c.SSOStartURL },
	"sso_account_id":     func(c *sdkconfig.SharedConfig) string { return c.SSOAccountID },
	"sso_role_name":      func(c *sdkconfig.SharedConfig) string { return c.SSORoleName },
	"credential_process": func(c *sdkconfig.SharedConfig) string { return c.CredentialProcess },
	"external_id":        func(c *sdkconfig.SharedConfig) string { return c.ExternalID },
	"mfa_serial":         func(c *sdkconfig.SharedConfig) string { return c.MFASerial },
	"role_session_name":  func(c *sdkconfig.SharedConfig) string { return c.RoleSessionName },
	"role_arn":           func(c *sdkconfig.SharedConfig) string { return c.RoleARN },
	"ca_bundle":          func(c *sdkconfig.SharedConfig) string { return c.CustomCABundle },
	"sdk_ua_app_id":      func(c *sdkconfig.SharedConfig) string { return c.AppID },
	"endpoint_url":       func(c *sdkconfig.SharedConfig) string { return c.BaseEndpoint },
	"services":           func(c *sdkconfig.SharedConfig) string { return c.ServicesSectionName },
	"login_session":      func(c *sdkconfig.SharedConfig) string { return c.LoginSession },
}

// cleared reports that the Go SDK forgets a key once it has read it: those that give credentials, in a profile that
// takes them from its source_profile.
func cleared(c *sdkconfig.SharedConfig, key string) bool {
	return c.SourceProfileName != "" &&
		slices.Contains(
			[]string{"sso_region", "sso_start_url", "sso_account_id", "sso_role_name", "credential_process"},
			key,
		)
}

// fieldNames are the keys of sdkFields in a fixed order.
var fieldNames = slices.Sorted(maps.Keys(sdkFields))

// file writes a config for the Go SDK to read.
func (o *oracles) file(t testing.TB, config string) string {
	t.Helper()
	path := filepath.Join(o.folder, fmt.Sprintf("config-%d", os.Getpid()))
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sdk loads one profile with the Go SDK; panicked is true where the SDK itself falls over (a value that is one
// quote).
func (o *oracles) sdk(path, profile string) (c sdkconfig.SharedConfig, panicked bool, err error) {
	defer func() {
		if recover() != nil {
			panicked = true
		}
	}()
	c, err = sdkconfig.LoadSharedConfigProfile(
		context.Background(),
		profile,
		func(o *sdkconfig.LoadSharedConfigOptions) {
			o.ConfigFiles, o.CredentialsFiles = []string{path}, []string{}
		},
	)
	return c, false, err
}

// checkSDK compares our reading by the SDKs' rules with the Go SDK's; it returns how many values it compared.
func (o *oracles) checkSDK(t testing.TB, config string) (compared int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	path := o.file(t, config)
	c := awsconfig.ReadingOf(grammar.ParseSDK(config))
	names := slices.Compact(
		slices.Sorted(
			slices.Values(
				append(c.Names(grammar.KindProfile), "default", "Default", "DEFAULT", "p", "no such profile"),
			),
		),
	)
	for _, name := range names {
		theirs, panicked, err := o.sdk(path, name)
		if panicked {
			return compared
		}
		p, ok := c.Profile(name)
		var missing sdkconfig.SharedConfigProfileNotExistError
		if errors.As(err, &missing) && missing.Profile == name || !ok {
			if ok || err == nil {
				t.Fatalf("profile %q: we have it %v, the Go SDK says %v\n%q", name, ok, err, config)
			}
			continue
		}
		if err != nil {
			if s := p.Get("sso_session"); strings.Contains(err.Error(), "failed to find SSO session section") {
				if _, ok := c.SessionSection(strings.TrimSpace(s)); ok {
					t.Fatalf("profile %q: %v\n%q", name, err, config)
				}
			}
			continue // the combination of keys is refused, which says nothing about reading
		}
		for key, field := range sdkFields {
			if v := p.Get(key); v != field(&theirs) && !cleared(&theirs, key) {
				t.Fatalf("%s of %q: we %q, the Go SDK %q\n%q", key, name, v, field(&theirs), config)
			}
			compared++
		}
		compared += o.checkLinked(t, c, p, &theirs, config)
	}
	return compared
}

// checkLinked compares the session and the services section that a profile names.
func (o *oracles) checkLinked(t testing.TB, c *awsconfig.Config, p awsconfig.Profile, theirs *sdkconfig.SharedConfig,
	config string) (compared int) {
	t.Helper()
	if theirs.SSOSession != nil {
		s, _ := c.SessionSection(strings.TrimSpace(theirs.SSOSessionName))
		if s.Get("sso_region") != theirs.SSOSession.SSORegion ||
			s.Get("sso_start_url") != theirs.SSOSession.SSOStartURL {
			t.Fatalf("session of %q: we %v, the Go SDK %+v\n%q", p.Name, flat(s), theirs.SSOSession, config)
		}
		compared++
	}
	if name := p.Get("services"); name != "" {
		for service, theirs := range theirs.Services.ServiceValues {
			s := must(c.Section(grammar.KindServices, name))
			o, _ := s.Option(service)
			mine := make(map[string]string)
			if o != nil {
				for _, kv := range o.Subs {
					mine[kv.Key] = kv.Value
				}
			}
			if o == nil || !maps.Equal(mine, theirs) {
				t.Fatalf("service %q of %q: we %v, the Go SDK %v\n%q", service, name, mine, theirs, config)
			}
			compared++
		}
	}
	return compared
}
