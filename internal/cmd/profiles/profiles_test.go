package profiles

import (
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/roster"
)

func TestProgressText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p    roster.Progress
		want string
	}{
		{roster.Progress{}, "Listing accounts"},
		{roster.Progress{Total: 100, Counting: true}, "Listing roles: 0 of at least 100 accounts"},
		{roster.Progress{Done: 7, Total: 100, Counting: true, Rate: 80, Left: time.Second},
			"Listing roles: 7 of at least 100 accounts, 80 calls/s"},
		{roster.Progress{Done: 100, Total: 300, Rate: 19.7, Left: 10400 * time.Millisecond, Throttled: 3},
			"Listing roles: 100 of 300 accounts, 20 calls/s, 10 s left; at the pace the service allows"},
		{roster.Progress{Done: 1, Total: 5000, Rate: 0.2, Left: 90 * time.Minute, Throttled: 1, Waiting: true},
			"Listing roles: 1 of 5000 accounts, 1 call/s, 1 h 30 min left; the service asks for a pause"},
		{roster.Progress{Done: 299, Total: 300, Rate: 50, Left: 20 * time.Millisecond},
			"Listing roles: 299 of 300 accounts, 50 calls/s, 1 s left"},
		{roster.Progress{Done: 300, Total: 300, Rate: 50}, "Listing roles: 300 of 300 accounts, 50 calls/s"},
	} {
		if got := progressText(tt.p); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.p, got, tt.want)
		}
	}
}
