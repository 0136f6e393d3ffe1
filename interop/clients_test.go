//go:build unix

package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/awsmodel"
	"github.com/homing-cli/homing/internal/testtools"
)

// clients lists the clients that are programs; the other files of this package add theirs. Each reads requests and
// writes answers, one JSON object a line:
//
//	{"do":"version"}                   {"version":"…"}
//	{"do":"identity","profile":"P"}    {"account":"…","arn":"…"}: STS with the profile's credentials;
//	                                   profile "" is the client's default chain of credentials
//	{"do":"again"}                     the same as identity of "", by one client that lives as long as the process
//	{"do":"profiles","names":"P\nQ"}   {"profiles":["P","Q"]}: those in the config file;
//	                                   names is for clients that cannot list profiles
//	{"do":"token","profile":"P"}       {"expires":"…"}: the client's bearer-token provider
//	{"do":"call","service":"sso","op":"ListAccounts"}
//	                                   {"type":"UnauthorizedException","code":"…","status":401,"message":"…"}
//
// type is "" where the client has no exception class for what it got. Any other failure is
// {"error":"…","message":"…"}.
var clients = map[string]func(t *testing.T) (command, env []string){
	"botocore": func(t *testing.T) ([]string, []string) {
		return []string{testtools.Python(t), abs(t, "botocore", "client.py")}, nil
	},
	"go": func(t *testing.T) ([]string, []string) { return []string{build(t, "./gosdk")}, nil },
	"js": func(t *testing.T) ([]string, []string) {
		node, dir := testtools.Node(t)
		return []string{node, abs(t, "js", "client.cjs")}, []string{"HOMING_NODE_DIR=" + dir}
	},
}

func abs(t *testing.T, elem ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

type answer struct {
	Version, Account, Arn, Expires string
	Type, Code, Message, Error     string
	Status                         int
	Profiles                       []string
}

// program is a running client.
type program struct {
	w    *world
	name string
	in   io.WriteCloser
	out  *bufio.Scanner
	errs *strings.Builder
	end  func() error // closes its input and waits for it
}

// start runs a client until stop, or the test, ends.
func (w *world) start(name string) *program {
	w.Helper()
	command, env := clients[name](w.T)
	return w.startCommand(name, command, w.env(env...))
}

// startCommand runs a command that ends as a client.
func (w *world) startCommand(name string, command, env []string) *program {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), command[0], command[1:]...)
	cmd.Env, cmd.Dir = env, w.home
	in, err := cmd.StdinPipe()
	if err != nil {
		w.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	errs := new(strings.Builder)
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	end := sync.OnceValue(func() error {
		_ = in.Close()
		return cmd.Wait()
	})
	w.Cleanup(func() { _ = end() })
	return &program{w: w, name: name, in: in, out: bufio.NewScanner(out), errs: errs, end: end}
}

func (p *program) ask(request map[string]string) (a answer) {
	p.w.Helper()
	line, err := json.Marshal(request)
	if err != nil {
		p.w.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.w.Fatalf("%s: %v", p.name, err)
	}
	if !p.out.Scan() {
		_ = p.in.Close()
		p.w.Fatalf("%s ended without an answer to %s: %v\n%s", p.name, line, p.out.Err(), p.errs)
	}
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		p.w.Fatalf("%s: %q: %v", p.name, p.out.Text(), err)
	}
	return a
}

// identity asks a fresh process of the client who the profile dev is.
func (w *world) identity(client string) answer {
	w.Helper()
	p := w.start(client)
	defer func() { _ = p.in.Close() }()
	return p.ask(map[string]string{"do": "identity", "profile": "dev"})
}

func (w *world) wantIdentity(client string) {
	w.Helper()
	if a := w.identity(client); a.Account != accountID || !strings.HasPrefix(a.Arn, arn) {
		w.Errorf("%s: identity is %+v, want account %s, role %s", client, a, accountID, roleName)
	}
}

// bearerToken is the column "bearer token": the client's own provider of bearer tokens renews as well, and none
// renews a token that is good, or one whose session has ended.
func bearerToken(w *world, client string) {
	w.config(false)
	w.signIn(false)
	p := w.start(client)
	w.version = p.ask(map[string]string{"do": "version"}).Version
	token := func() {
		if a := p.ask(map[string]string{"do": "token", "profile": "dev"}); a.Expires == "" {
			w.Errorf("token provider: %+v", a)
		}
	}
	token()
	if got := w.refreshes(); got != 0 {
		w.Errorf("%d refreshes of a good token", got)
	}
	w.expire(false)
	w.renewedBy(client+"'s token provider", token)
	w.wantIdentity(client)

	w.emu.EndSession("")
	w.expire(false)
	if a := w.identity(client); a.Error == "" {
		w.Errorf("after the portal session ended: %+v", a)
	}
}

// typedErrors is the column "typed errors": the emulator refuses each operation with each error that its model knows.
func typedErrors(w *world, client string) {
	p := w.start(client)
	tried := 0
	for service, ops := range map[string][]string{
		"sso-oidc": {emulator.OpRegisterClient, emulator.OpStartDeviceAuthorization, emulator.OpCreateToken},
		"sso": {emulator.OpListAccounts, emulator.OpListAccountRoles, emulator.OpGetRoleCredentials,
			emulator.OpLogout},
	} {
		model := awsmodel.Load(w.T, service)
		for _, op := range ops {
			for name, status := range model.Errors(op) {
				tried++
				w.emu.Fail(op, 1, emulator.Fault{Error: name, Text: "said by a test"})
				a := p.ask(map[string]string{"do": "call", "service": service, "op": op})
				if slices.Contains(tooOld[client], name) {
					if a.Type != "" || a.Code != name || a.Status != status {
						w.Errorf("%s refused with %s (%d), which %s does not know: got %+v", op, name, status, client,
							a)
					}
					continue
				}
				if a.Type != name || a.Status != status || a.Message != "said by a test" {
					w.Errorf("%s refused with %s (%d): got %+v", op, name, status, a)
				}
			}
		}
	}
	// The one refusal of the portal that no model knows.
	w.emu.Fail(emulator.OpGetRoleCredentials, 1, emulator.Fault{Error: "ForbiddenException", Text: "No access"})
	a := p.ask(map[string]string{"do": "call", "service": "sso", "op": emulator.OpGetRoleCredentials})
	if a.Type != "" || a.Code != "ForbiddenException" || a.Status != http.StatusForbidden {
		w.Errorf("ForbiddenException: got %+v", a)
	}
	if tried < 30 {
		w.Errorf("only %d errors tried", tried)
	}
}
