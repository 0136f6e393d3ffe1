package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/rogpeppe/go-internal/testscript"
)

// serveTeam FILE serves a file over HTTP on this machine, and puts its address into $TEAM_URL.
func serveTeam(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: team FILE")
	}
	path := ts.MkAbs(args[0])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text, err := os.ReadFile(path)
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(text)
	}))
	ts.Defer(server.Close)
	ts.Setenv("TEAM_URL", server.URL+"/team.toml")
}

// listed N waits until the roles of N accounts were asked for.
func listed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listed N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	emu := personOf(ts).emu
	for deadline := time.Now().Add(scriptDeadline); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		n := 0
		for _, r := range emu.Requests() {
			if r.Op == emulator.OpListAccountRoles && r.Status == http.StatusOK {
				n++
			}
		}
		if n >= want {
			return
		}
	}
	ts.Fatalf("the roles of fewer than %d accounts were asked for", want)
}
