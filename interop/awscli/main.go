// Command awscli is the AWS CLI as a program: one request a line in, one answer a line out (see clients_test.go of
// the folder above). Its argument is the aws to run; every request starts it again, as a person would.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

type request struct {
	Do, Profile, Service, Op string
}

type answer struct {
	Version     string `json:"version,omitempty"`
	Account     string `json:"account,omitempty"`
	Arn         string `json:"arn,omitempty"`
	Expires     string `json:"expires,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`

	Profiles []string `json:"profiles,omitempty"`

	Type    string `json:"type,omitempty"` // name of the exception's class
	Code    string `json:"code,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`

	Error string `json:"error,omitempty"` // the command failed, or what went wrong here
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: awscli AWS")
		os.Exit(2)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		a, err := serve(context.Background(), cli(os.Args[1]), r)
		if err != nil {
			a = answer{Error: fmt.Sprintf("%T", err), Message: err.Error()}
		}
		line, err := json.Marshal(a)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}

func serve(ctx context.Context, aws cli, r request) (answer, error) {
	switch r.Do {
	case "version":
		out, err := aws.run(ctx, "--version")
		return answer{Version: strings.TrimSpace(string(out))}, err
	case "identity":
		var who struct{ Account, Arn string }
		args := []string{"sts", "get-caller-identity"}
		if r.Profile != "" {
			args = append(args, "--profile", r.Profile)
		}
		err := aws.read(ctx, &who, args...)
		return answer{Account: who.Account, Arn: who.Arn}, err
	case "profiles":
		out, err := aws.run(ctx, "configure", "list-profiles")
		return answer{Profiles: strings.Fields(string(out))}, err
	case "credentials":
		return credentials(ctx, aws, r.Profile)
	case "token":
		return token(ctx, aws, r.Profile)
	case "call":
		return call(ctx, aws, r.Service, r.Op)
	}
	return answer{}, fmt.Errorf("nothing known to do for %q", r.Do)
}

// cli is the path of an AWS CLI.
type cli string

// failure is a command that ended with another exit code than 0.
type failure struct {
	code   int
	stderr string
}

func (f *failure) Error() string { return fmt.Sprintf("exit code %d: %s", f.code, f.stderr) }

func (aws cli) run(ctx context.Context, args ...string) (stdout []byte, err error) {
	cmd := exec.CommandContext(ctx, string(aws), args...)
	stdout, err = cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return stdout, &failure{exit.ExitCode(), strings.TrimSpace(string(exit.Stderr))}
	}
	return stdout, err
}

// read runs a command that prints JSON.
func (aws cli) read(ctx context.Context, into any, args ...string) error {
	out, err := aws.run(ctx, append(args, "--output", "json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}

// credentials asks for the profile's credentials. The AWS CLI 1 has no command that prints them; there the key is
// read off a request that it signed, and the expiry stays unknown.
func credentials(ctx context.Context, aws cli, profile string) (answer, error) {
	var creds struct{ AccessKeyId, AccountId, Expiration string } //nolint:revive // as the AWS CLI spells them
	out, err := aws.run(ctx, "configure", "export-credentials", "--profile", profile, "--format", "process")
	if err == nil {
		err = json.Unmarshal(out, &creds)
		return answer{AccessKeyID: creds.AccessKeyId, Account: creds.AccountId, Expires: creds.Expiration}, err
	}
	if f, ok := errors.AsType[*failure](err); !ok || !strings.Contains(f.stderr,
		"argument subcommand: Invalid choice") {
		return answer{}, err
	}
	sent, err := aws.authorization(ctx, "sts", "get-caller-identity", "--profile", profile)
	if err != nil {
		return answer{}, err
	}
	_, after, _ := strings.Cut(sent, "Credential=")
	id, _, _ := strings.Cut(after, "/")
	return answer{AccessKeyID: id}, nil
}

// token makes the AWS CLI use the bearer token of the profile's session, which takes its provider of bearer tokens,
// and finds the token file that holds it.
func token(ctx context.Context, aws cli, profile string) (answer, error) {
	sent, err := aws.authorization(ctx, "codecatalyst", "verify-session", "--profile", profile)
	if err != nil {
		return answer{}, err
	}
	bearer, ok := strings.CutPrefix(sent, "Bearer ")
	if !ok {
		return answer{}, errors.New("the request for CodeCatalyst has no bearer token")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return answer{}, err
	}
	files, err := filepath.Glob(filepath.Join(home, ".aws", "sso", "cache", "*.json"))
	if err != nil {
		return answer{}, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return answer{}, err
		}
		var fields struct{ AccessToken, ExpiresAt string }
		if json.Unmarshal(text, &fields) == nil && fields.AccessToken == bearer {
			return answer{Expires: fields.ExpiresAt}, nil
		}
	}
	return answer{}, errors.New("the bearer token is in no token file")
}

// authorization returns the header with which the AWS CLI authorizes a call.
func (aws cli) authorization(ctx context.Context, args ...string) (string, error) {
	headers := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header.Get("Authorization")
		if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			_, _ = w.Write([]byte(`{"identity": "somebody"}`))
			return
		}
		_, _ = w.Write([]byte(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
			`<GetCallerIdentityResult></GetCallerIdentityResult></GetCallerIdentityResponse>`))
	}))
	defer srv.Close()
	if _, err := aws.run(ctx, append(args, "--endpoint-url", srv.URL)...); err != nil {
		return "", err
	}
	select {
	case header := <-headers:
		return header, nil
	default:
		return "", fmt.Errorf("aws %s sent no request", args[0])
	}
}

const startURL = "https://d-9067f00d42.awsapps.com/start"

// commands calls each operation when only its refusal matters.
var commands = map[string][]string{
	"RegisterClient": {"sso-oidc", "register-client", "--client-name", "interop", "--client-type", "public"},
	// The AWS CLI 1 fetches an argument that is a URL (its cli_follow_urlparam), and so never gets to the operation.
	"StartDeviceAuthorization": {"sso-oidc", "start-device-authorization", "--cli-input-json",
		`{"clientId": "c", "clientSecret": "s", "startUrl": "` + startURL + `"}`},
	"CreateToken": {"sso-oidc", "create-token", "--client-id", "c", "--client-secret", "s", "--grant-type",
		"refresh_token", "--refresh-token", "r"},
	"ListAccounts":     {"sso", "list-accounts", "--access-token", "t"},
	"ListAccountRoles": {"sso", "list-account-roles", "--access-token", "t", "--account-id", "111111111111"},
	"GetRoleCredentials": {"sso", "get-role-credentials", "--access-token", "t", "--account-id", "111111111111",
		"--role-name", "r"},
	"Logout": {"sso", "logout"}, // of the AWS CLI 2; the one of 1 wants --access-token
}

var (
	answered = regexp.MustCompile(`"[A-Z]+ \S+ HTTP/1\.1" (\d{3})`)
	raised   = regexp.MustCompile(`(?m)^(?:awscli\.)?botocore\.(errorfactory|exceptions)\.(\w+): An error occurred ` +
		`\((\w+)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: ?(.*)$`)
	described = regexp.MustCompile(`"error_description": ?"([^"]*)"`)
)

// call reads class and HTTP status off the debug log, because what is printed has neither. The home folder is one
// with a token, since the AWS CLI 2 logs out of those that it finds, and drops what the service says about it.
func call(ctx context.Context, aws cli, service, op string) (answer, error) {
	home, err := os.MkdirTemp("", "awscli-call-")
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = os.RemoveAll(home) }()
	cache := filepath.Join(home, ".aws", "sso", "cache")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return answer{}, err
	}
	text := `{"startUrl": "` + startURL +
		`", "region": "us-east-1", "accessToken": "t", "expiresAt": "2999-01-01T00:00:00Z"}`
	if err := os.WriteFile(filepath.Join(cache, "t.json"), []byte(text), 0o600); err != nil {
		return answer{}, err
	}

	args := append(commands[op], "--region", "us-east-1", "--debug")
	if op == "Logout" {
		version, err := aws.run(ctx, "--version")
		if err != nil {
			return answer{}, err
		}
		if bytes.HasPrefix(version, []byte("aws-cli/1.")) {
			args = append(args, "--access-token", "t")
		}
	}
	cmd := exec.CommandContext(ctx, string(aws), args...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	var log bytes.Buffer
	cmd.Stderr = &log
	err = cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return answer{}, err
	}
	a := answer{}
	if all := answered.FindAllSubmatch(log.Bytes(), -1); len(all) > 0 {
		a.Status, _ = strconv.Atoi(string(all[len(all)-1][1]))
	}
	if a.Status == 0 || a.Status == http.StatusOK {
		return a, err
	}
	found := raised.FindSubmatch(log.Bytes())
	if found == nil {
		return answer{}, fmt.Errorf("%s %s: no exception in the log: %s", service, op, log.String())
	}
	if string(found[1]) == "errorfactory" {
		a.Type = string(found[2])
	}
	a.Code, a.Message = string(found[3]), string(found[4])
	if all := described.FindAllSubmatch(log.Bytes(), -1); a.Message == "" && len(all) > 0 {
		a.Message = string(all[len(all)-1][1]) // 2.23 prints an empty reason for what the OIDC service refuses
	}
	return a, nil
}
