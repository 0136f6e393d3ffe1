package store

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// deadly are the signals with which a terminal, a supervisor and a closed window end a program.
var deadly = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// hold keeps the deadly signals from ending the process until release is called. A program that handles them itself
// hears of them as ever. What came while they were held is sent once more by release, unless ctx shows that the
// program has heard it and is leaving by itself. Signals that the process ignores (nohup) stay ignored.
//
// It is safe for concurrent use; as long as anybody holds, nothing gets through.
func hold(ctx context.Context) (release func()) {
	var held []os.Signal
	for _, s := range deadly {
		if !signal.Ignored(s) {
			held = append(held, s)
		}
	}
	if len(held) == 0 {
		return func() {}
	}
	var came chan os.Signal
	runOutside(func() {
		came = make(chan os.Signal, 8)
		signal.Notify(came, held...)
	})
	return func() {
		runOutside(func() { signal.Stop(came) }) // what came before is in the channel by now
		var last os.Signal
		count := 0
		for more := true; more; {
			select {
			case last = <-came:
				count++
			default:
				more = false
			}
		}
		// A second one means: do not tidy up, go. That is how cli.Main takes it, too.
		if count > 1 || count == 1 && !leaving(ctx) {
			raise(last)
			time.Sleep(dying)
		}
	}
}

// runOutside runs f on a goroutine that belongs to nobody. Package signal starts goroutines that stay, where it is
// first used; in a synctest bubble of a test that would be inside of it, and the bubble would never end.
func runOutside(f func()) {
	outsideTurn.Lock()
	defer outsideTurn.Unlock()
	outsideCalls <- f
	<-outsideDone
}

var (
	outsideTurn  sync.Mutex
	outsideCalls = make(chan func())
	outsideDone  = make(chan struct{})
)

func init() {
	go func() {
		for f := range outsideCalls {
			f()
			outsideDone <- struct{}{}
		}
	}()
}

// dying is how long a signal may take to end this process: the caller must not go on as if nothing had come. A
// program that handles the signal and gave a ctx that does not show it waits that long, once.
const dying = 100 * time.Millisecond

// leaving reports whether ctx was cancelled, as signal.NotifyContext does: a moment after the signal.
func leaving(ctx context.Context) bool {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
	return errors.Is(ctx.Err(), context.Canceled)
}
