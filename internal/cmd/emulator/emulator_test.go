package emulator

import (
	"net"
	"testing"

	"github.com/homing-cli/homing/emulator"
)

func TestEmulatorSwitches(t *testing.T) {
	var got emulator.Switches
	err := setSwitches(&got,
		[]string{"any_scope", "start_url_text=Invalid request.", "throttle_text=a=b", "refresh_same"})
	want := emulator.Switches{AnyScope: true, StartURLText: "Invalid request.", ThrottleText: "a=b", RefreshSame: true}
	if err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for _, name := range switchNames() { // the hint offers these
		var sw emulator.Switches
		if err := setSwitches(&sw, []string{name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A listener on all interfaces is reached at loopback.
func TestLocalAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:4000": "127.0.0.1:4000", "[::]:4000": "127.0.0.1:4000", "[::1]:4000": "[::1]:4000",
		"192.0.2.1:4000": "192.0.2.1:4000",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := localAddress(tcp); got != want {
			t.Errorf("localAddress(%s) = %s, want %s", addr, got, want)
		}
	}
}
