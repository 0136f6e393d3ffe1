package joint

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/homing-cli/homing/internal/files"
)

// announcement is the leader's file: how to reach it, and what proves to it that its file could be read.
type announcement struct {
	Network string `json:"network"` // unix, or tcp where a socket has no place
	Address string `json:"address"`
	Secret  string `json:"secret"`
}

// What goes over the socket, a JSON object a line. First the two sides prove themselves: greeting, challenge, proof.
type (
	greeting  struct{ Challenge string } // of who joins
	challenge struct {                   // of the leader
		Proof, Challenge string
		About            string
	}
	request struct { // of who joins. The first one proves
		Proof    string `json:",omitempty"`
		Opens    bool   `json:",omitempty"`
		TakeOver bool   `json:",omitempty"`
		Input    *Input `json:",omitempty"`
	}
	notice struct { // of the leader; without anything it says that the leader lives
		Body    json.RawMessage `json:",omitempty"`
		Opens   bool            `json:",omitempty"`
		Outcome bool            `json:",omitempty"`
		Left    bool            `json:",omitempty"`
	}
)

const (
	maxLine  = 512 << 10              // bytes; a paste of 64 KiB may be six times as long in JSON
	maxFile  = 1 << 10                // bytes of an announcement
	maxPath  = 100                    // bytes of a socket's path; the shortest limit is macOS's 104
	answer   = 2 * time.Second        // for a line of the proof, and for one to be taken off our hands
	alive    = 5 * time.Second        // between two signs of life
	silence  = 4 * alive              // after which a leader counts as stopped
	toLeader = "homing joins a login" // what a proof is for, so that none can be sent back
	toJoiner = "homing leads a login"
)

// proof shows that secret is known to who answers challenge. TCP has no file permissions: the port may be another's.
func proof(secret, purpose, challenge string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(purpose + "\n" + challenge))
	return hex.EncodeToString(mac.Sum(nil))
}

func proves(secret, purpose, challenge, given string) bool {
	return hmac.Equal([]byte(proof(secret, purpose, challenge)), []byte(given))
}

// random returns 32 bytes nobody can guess, in hex.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// line writes v.
func line(conn net.Conn, v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_ = conn.SetWriteDeadline(time.Now().Add(answer))
	if _, err := conn.Write(text.Bytes()); err != nil {
		return errLost // a cause may quote what was sent
	}
	return nil
}

// lineReader reads lines of a bounded length.
func lineReader(conn net.Conn) *bufio.Scanner {
	s := bufio.NewScanner(conn)
	s.Buffer(nil, maxLine)
	return s
}

// next reads a line into v.
func next(s *bufio.Scanner, v any) error {
	if !s.Scan() || json.Unmarshal(s.Bytes(), v) != nil {
		return errLost
	}
	return nil
}

// listen serves in a folder of ours, or on loopback where that cannot hold a socket.
func listen(f paths) (net.Listener, announcement, error) {
	a := announcement{Network: "unix", Address: f.socket, Secret: random()}
	if len(f.socket) <= maxPath {
		_ = os.Remove(f.socket) // of one that was killed
		if l, err := net.Listen(a.Network, a.Address); err == nil {
			return l, a, nil
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, a, err
	}
	a.Network, a.Address = "tcp4", l.Addr().String()
	return l, a, nil
}

// announced reads the leader's file.
func announced(path string) (announcement, error) {
	text, err := files.ReadPrivate(path, maxFile)
	if err != nil {
		return announcement{}, err
	}
	var a announcement
	if json.Unmarshal(text, &a) != nil || len(a.Secret) != 64 || a.Network != "unix" && a.Network != "tcp4" {
		return announcement{}, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a leader's file")}
	}
	if host, _, err := net.SplitHostPort(a.Address); a.Network == "tcp4" && (err != nil || host != "127.0.0.1") {
		return announcement{}, &fs.PathError{Op: "read", Path: path, Err: errors.New("not an address of this machine")}
	}
	return a, nil
}
