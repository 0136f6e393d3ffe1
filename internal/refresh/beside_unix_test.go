//go:build unix

package refresh_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
)

// botocore is a running client, interop/botocore/client.py: a question and an answer a line.
type botocore struct {
	w   *world
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *world) botocore(python string) *botocore {
	w.Helper()
	script, err := filepath.Abs(filepath.Join("..", "..", "interop", "botocore", "client.py"))
	if err != nil {
		w.Fatal(err)
	}
	cmd := exec.Command(python, script)
	cmd.Env = w.env()
	in, err := cmd.StdinPipe()
	if err != nil {
		w.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill() // it may hang, in a test that fails
		_ = cmd.Wait()
	})
	return &botocore{w, in, bufio.NewReader(out)}
}

// ask returns what botocore says it failed with, "" for success.
func (b *botocore) ask(request string) string {
	if _, err := io.WriteString(b.in, request+"\n"); err != nil {
		b.w.Error(err)
		return err.Error()
	}
	line, err := b.out.ReadBytes('\n')
	var answer struct{ Error, Message string }
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	if err != nil {
		b.w.Errorf("botocore said %q: %v", line, err)
		return err.Error()
	}
	return answer.Error
}

// The AWS CLI and botocore take no lock. They may lose a race for a single-use refresh token; homing must not, and no
// session may end because of it: whoever wins, every homing has a token in the end, and it can be renewed.
func TestBesideTheAWSCLIAndBotocore(t *testing.T) {
	aws, python := testtools.AWSCLI(t), testtools.Python(t)
	w := newWorld(t)
	w.signIn()
	clients := []*botocore{w.botocore(python), w.botocore(python)}
	for _, c := range clients {
		if failed := c.ask(`{"do":"identity","profile":"p6"}`); failed != "" { // its modules are loaded, and it is as quick as homing
			t.Fatal("botocore: ", failed)
		}
	}
	lost := map[string]int{}
	rounds := soakRounds()
	for round := range rounds {
		w.mustExpire()
		// The others' renewal is at the service when ours begin, or the other way round.
		before, arrived := first(func(context.Context) {})
		w.setGate(gate{before: func(ctx context.Context) {
			before(ctx)
			time.Sleep(60 * time.Millisecond) // long enough for the next caller to ask with the same token
		}})
		var cli *process
		answers := make(chan string, len(clients))
		theirs := []func(){
			func() {
				for _, c := range clients {
					go func() { answers <- c.ask(`{"do":"identity","profile":"p6"}`) }()
				}
			},
			func() { cli = w.start(aws, "sts", "get-caller-identity", "--profile", "p7") },
		}
		var ours []*process
		start := []func(){theirs[round%2], theirs[1-round%2], func() {
			many := 6
			if round == 0 {
				many = 64
			}
			for i := range many {
				ours = append(ours, w.credentials(i%6))
			}
		}}
		if round%3 == 2 {
			start[0], start[2] = start[2], start[0]
		}
		start[0]()
		w.await(arrived, "a renewal")
		start[1]()
		start[2]()
		for _, p := range ours {
			w.wantKeys(p)
		}
		for range clients {
			if <-answers != "" {
				lost["botocore"]++
			}
		}
		if w.wait(cli) != 0 {
			lost["the AWS CLI"]++
		}
		w.setGate(gate{})
		w.mustExpire()
		w.wantKeys(w.credentials(0)) // what is in the file can be renewed
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d rounds; lost by others: %v", rounds, lost)
	w.usable()
	w.noLitter()
}

// What we put beside the token is none of the AWS CLI's business: its logout reads every file of the folder.
func TestRecordIsNoneOfTheAWSCLIs(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	w := newWorld(t)
	w.signIn()
	w.mustExpire()
	w.emu.EndSession("")
	w.wantEnd(w.credentials(0))
	record := filepath.Join(w.store.AWSDir, "homing", "refused-"+filepath.Base(w.store.TokenPath(dev.CacheKey())))
	was, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	cli := w.start(aws, "sts", "get-caller-identity", "--profile", "p7")
	if code := w.wait(cli); code == 0 || !strings.Contains(cli.err.String(), "Token has expired and refresh failed") {
		t.Errorf("the AWS CLI, on a session that is over: %d, %s", code, cli.err.String())
	}
	logout := w.start(aws, "sso", "logout")
	if code := w.wait(logout); code != 0 {
		t.Errorf("aws sso logout: %d, %s", code, logout.err.String())
	}
	if _, err := os.Stat(w.store.TokenPath(dev.CacheKey())); err == nil {
		t.Error("the token is still there")
	}
	if is, err := os.ReadFile(record); err != nil || string(is) != string(was) {
		t.Errorf("the record became %s, %v", is, err)
	}
	w.signIn()
	w.wantKeys(w.credentials(0))
}
