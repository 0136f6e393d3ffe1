package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestColdReads counts how often credentials opens its files when it has to ask the portal: the command starts with
// what the quick path has read.
func TestColdReads(t *testing.T) {
	env := home(t)
	dir := filepath.Join(strings.TrimPrefix(env[0], "HOME="), ".aws")
	const role = "c43dd432db0bf8323a53ab1fcded2c422fe2bcd9.json"
	// SHA-1 of dev
	token := filepath.Join(dir, "sso", "cache", "34c6fceca75e456f25e7e99531e2425c6c1de443.json")
	if err := os.MkdirAll(filepath.Dir(token), 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(
		`{"startUrl": "https://d-9067f00d42.awsapps.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": %q}`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	)
	if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rolePath := filepath.Join(dir, "cli", "cache", role)
	old, err := os.ReadFile(rolePath)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(rolePath, bytes.ReplaceAll(old, []byte("2199-"), []byte("2019-")), 0o600); err != nil {
		t.Fatal(err)
	}
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(
			w,
			`{"roleCredentials": {"accessKeyId": "ASIAFRESH", "secretAccessKey": "s", "sessionToken": "t", "expiration": %d}}`,
			time.Now().Add(time.Hour).UnixMilli(),
		)
	}))
	t.Cleanup(portal.Close)
	opened := countOpens(t, dir, filepath.Dir(rolePath))
	cmd := exec.CommandContext(t.Context(), program, "credentials", "--profile", "dev")
	cmd.Env = append(env, "AWS_ENDPOINT_URL_SSO="+portal.URL)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "ASIAFRESH") {
		t.Fatalf("%v: %s%s", err, out, &stderr)
	}
	times := opened()
	if n := times["config"]; n != 1 {
		t.Errorf("the config is opened %d times, want once", n)
	}
	if n := times[role]; n < 1 || n > 2 {
		t.Errorf("the cached credentials are opened %d times, want twice at most", n)
	}
}

// countOpens counts how often the files in dirs are opened, until the function that it returns is called.
func countOpens(t *testing.T, dirs ...string) func() map[string]int {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		// With the end of each use as well, equal events never follow each other, which the kernel would merge.
		if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN|unix.IN_CLOSE); err != nil {
			t.Fatal(err)
		}
	}
	events := os.NewFile(uintptr(fd), "inotify")
	times := map[string]int{}
	var reader sync.WaitGroup
	stop := filepath.Join(dirs[0], "stop")
	reader.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := events.Read(buf)
			if err != nil {
				if !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
				return
			}
			for at := 0; at < n; {
				mask := uint32(buf[at+4]) | uint32(buf[at+5])<<8
				size := int(uint32(buf[at+12]) | uint32(buf[at+13])<<8)
				name := string(bytes.TrimRight(buf[at+unix.SizeofInotifyEvent:at+unix.SizeofInotifyEvent+size], "\x00"))
				at += unix.SizeofInotifyEvent + size
				if name == "stop" {
					return
				}
				if mask&unix.IN_OPEN != 0 {
					times[name]++
				}
			}
		}
	})
	return func() map[string]int {
		if err := os.WriteFile(stop, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		reader.Wait()
		_ = events.Close()
		return times
	}
}
