package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/browsertest"
	"github.com/homing-cli/homing/internal/netnstest"
	"github.com/homing-cli/homing/internal/testtools"
)

// TestRemoteSSH is a person who came by ssh and opened nothing else: homing runs in their ssh session, and the line
// that it prints, typed on the laptop as it stands there, opens the way for the redirect.
func TestRemoteSSH(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	sshd := a.startSSHD()
	a.openBrowser(browsertest.Options{})

	s := sshd.session("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser")
	authorize := s.authorize()
	port := listenerPort(t, authorize)
	a.refused(s.run, authorize)

	printed := s.find(fmt.Sprintf(`(ssh [^\r\n]*-L [^\r\n]*\b%d:127\.0\.0\.1:%d [^\r\n]*)`, port, port))
	words := strings.Fields(printed)
	if strings.Contains(printed, "'") || strings.Contains(printed, `"`) || words[0] != "ssh" {
		t.Fatalf("not a plain line: %s", printed)
	}
	tunnel := sshd.client(words[1:]...)
	a.laptopListens(port, tunnel)
	a.browser.Reload()
	a.signedIn(s.run)
}

// laptopListens waits until something listens on the laptop's loopback, or ended ends.
func (a *away) laptopListens(port int, tunnel *run) {
	a.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := a.laptop.Dial(a.t.Context(), net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-tick.C:
		case <-tunnel.done:
			a.t.Fatalf("%q ended with %d before port %d was open on the laptop: %v", tunnel.line, tunnel.code, port,
				err)
		}
	}
}

// sshd is the remote's SSH server, and the laptop's settings for it.
type sshd struct {
	*away
	ssh, config string
	user        string
}

const sshPort = 2222

// startSSHD lays a cable between the laptop and the remote, and starts the remote's SSH server on it: the system's
// OpenSSH, with keys of this test.
func (a *away) startSSHD() *sshd {
	a.t.Helper()
	server, keygen := testtools.Program(a.t, "sshd", "openssh-server"), testtools.Program(a.t, "ssh-keygen",
		"openssh-client")
	s := &sshd{away: a, ssh: testtools.Program(a.t, "ssh", "openssh-client")}
	me, err := user.Current()
	if err != nil {
		a.t.Fatal(err)
	}
	s.user = me.Username
	netnstest.Link(a.t, a.laptop, laptopIP+"/24", a.remote, remoteIP+"/24")

	dir := a.t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "user"} {
		if out, err := exec.CommandContext(a.t.Context(), keygen, "-q", "-t", "ed25519", "-N", "", "-C", key, "-f",
			in(key)).CombinedOutput(); err != nil {
			a.t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	hostKey, err := os.ReadFile(in("host.pub"))
	if err != nil {
		a.t.Fatal(err)
	}
	// Without PAM, sshd takes an account for locked that has only no password, as root's on many systems.
	for name, content := range map[string]string{
		"known_hosts": fmt.Sprintf("[%s]:%d %s", remoteIP, sshPort, hostKey),
		"sshd_config": fmt.Sprintf("ListenAddress %s:%d\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nLogLevel "+
			"VERBOSE\n"+
			"AuthenticationMethods publickey\nPermitRootLogin prohibit-password\nUsePAM yes\nStrictModes "+
			"no\nPrintMotd no\n"+
			"AllowTcpForwarding local\nAllowAgentForwarding no\nX11Forwarding no\n", remoteIP, sshPort, in("host"),
			in("user.pub")),
		"ssh_config": fmt.Sprintf("IdentityFile %s\nIdentitiesOnly yes\nUserKnownHostsFile %s\nGlobalKnownHostsFile "+
			"/dev/null\n"+
			"StrictHostKeyChecking yes\nBatchMode yes\nExitOnForwardFailure yes\nLogLevel ERROR\n", in("user"),
			in("known_hosts")),
	} {
		if err := os.WriteFile(in(name), []byte(content), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	s.config = in("ssh_config")

	// A mount namespace of its own: sshd wants the folder /run/sshd, and writes who logged in below /var/log and
	// /run.
	ctx, cancel := context.WithCancel(context.Background())
	cmd := a.remote.Command(ctx, testtools.Program(a.t, "unshare", "util-linux"), "--mount", "sh", "-c",
		`mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount -t tmpfs tmpfs /var/log && touch /var/log/lastlog && `+
			`exec "$0" -D -e -f "$1"`, server, in("sshd_config"))
	log := &listening{line: fmt.Sprintf("Server listening on %s port %d.", remoteIP, sshPort),
		there: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		cancel()
		a.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // what it said is in the log
	}()
	a.t.Cleanup(func() {
		cancel()
		<-ended
		if a.t.Failed() {
			a.t.Logf("sshd said:\n%s", log.String())
		}
	})
	select {
	case <-log.there:
	case <-ended:
		a.t.Fatal("sshd ended")
	}
	return s
}

// client runs the laptop's ssh with these arguments, on top of the laptop's settings.
func (s *sshd) client(args ...string) *run {
	s.t.Helper()
	laptop := *s.home
	laptop.enter = s.laptop.Enter
	return laptop.startProgram(s.ssh, append([]string{"-F", s.config}, args...)...)
}

// session starts homing as a person does who has logged in to the remote with ssh from a terminal of the laptop.
func (s *sshd) session(args ...string) *terminal {
	s.t.Helper()
	line := "cd " + s.dir + " && exec env"
	for k, v := range s.env {
		line += " " + k + "='" + v + "'"
	}
	line += " " + binary + " " + strings.Join(args, " ")
	laptop := *s.home
	laptop.enter = s.laptop.Enter
	cmd, cancel := laptop.command(s.ssh, "-F", s.config, "-tt", "-p", strconv.Itoa(sshPort), s.user+"@"+remoteIP, line)
	return runInTerminal(s.t, cmd, cancel, newRun(s.t, binary, args))
}

// listening is a log that says when a line came.
type listening struct {
	line  string
	there chan struct{}
	once  sync.Once

	mu  sync.Mutex
	log bytes.Buffer
}

func (l *listening) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log.Write(b)
	if strings.Contains(l.log.String(), l.line) {
		l.once.Do(func() { close(l.there) })
	}
	return len(b), nil
}

func (l *listening) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String()
}
