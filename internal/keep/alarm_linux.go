package keep

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// settle is how long more is waited for after a file was written: a program that writes in place, or writes two
// files, is done by then, and somebody who writes all the time is looked at ten times a second at most.
const settle = 100 * time.Millisecond

// alarm wakes for a reason only: a timer of the kernel that goes by the wall clock and is cancelled when the clock is
// set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET: a suspend sets it too), and inotify. The runtime's poller waits
// for both, no thread of ours. What the system refuses is done as Comparing does it.
type alarm struct {
	timer   *timer   // nil = refused
	watcher *watcher // nil = refused
	debug   func(string, ...any)
	said    string // what debug was told last
}

// newAlarm returns the Alarm of this system. The function ends it.
func newAlarm(debug func(string, ...any)) (Alarm, func()) {
	a := &alarm{debug: debug}
	var err error
	if a.timer, err = newTimer(); err != nil {
		debug("no timer of the wall clock: %v", err)
	}
	if a.watcher, err = newWatcher(); err != nil {
		debug("no news of files: %v", err)
	}
	return a, a.close
}

func (a *alarm) close() {
	if a.timer != nil {
		a.timer.close()
	}
	if a.watcher != nil {
		a.watcher.close()
	}
}

// Wait implements Alarm.
func (a *alarm) Wait(ctx context.Context, at time.Time, paths []string) {
	var compare []string // why, if it has to be
	var news <-chan struct{}
	if a.watcher == nil {
		compare = append(compare, "files: inotify is refused")
	} else {
		fresh, deaf := a.watcher.watch(paths)
		if fresh {
			return // it may have been written before somebody watched
		}
		if deaf != "" {
			compare = append(compare, "files: "+deaf)
		}
		news = a.watcher.news
	}
	if a.timer.lost() {
		compare = append(compare, "clock: timerfd is refused")
	}
	a.say(compare)
	if len(compare) > 0 {
		at = earlier(at, time.Now().Round(0).Add(Look))
	}
	var tick <-chan time.Time
	var rang <-chan struct{}
	switch {
	case !at.IsZero() && !at.After(time.Now().Round(0)):
		return
	case a.timer.lost():
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		tick = t.C
	case a.timer.set(at) != nil:
		return // at was computed before the clock was set; or the timer is lost, and that is known from now on
	default:
		rang = a.timer.rang // which may hold word from before the last look: then there is one look more
	}
	defer quiet()()
	select {
	case <-ctx.Done():
	case <-rang:
	case <-tick:
	case <-news:
		sleep(ctx, settle)
		select {
		case <-news: // the same
		default:
		}
	}
}

// asleep counts who waits in this process.
var asleep struct {
	sync.Mutex
	count   int
	percent int // of debug.SetGCPercent, when all are awake
}

// quiet switches the collection of garbage off until the function is called: once there was one, the runtime begins
// another every two minutes, whether or not there is garbage. A sleeping process makes none.
func quiet() (over func()) {
	asleep.Lock()
	defer asleep.Unlock()
	if asleep.count++; asleep.count == 1 {
		asleep.percent = debug.SetGCPercent(-1)
	}
	return func() {
		asleep.Lock()
		defer asleep.Unlock()
		if asleep.count--; asleep.count == 0 {
			debug.SetGCPercent(asleep.percent)
		}
	}
}

// say tells a person who debugs how this waits, when that changes.
func (a *alarm) say(compare []string) {
	text := "asleep until a deadline, a clock that is set, or a file that changes"
	if len(compare) > 0 {
		text = "comparing once in " + Look.String() + ": " + strings.Join(compare, "; ")
	}
	if text != a.said {
		a.debug("%s", text)
	}
	a.said = text
}

// timer is a timerfd on the wall clock.
type timer struct {
	fd   int
	file io.ReadCloser
	rang chan struct{} // it is due, or the clock was set
	arm  func(fd, flags int, to, was *unix.ItimerSpec) error

	done   sync.WaitGroup
	mu     sync.Mutex
	broken bool
}

func newTimer() (*timer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	t := &timer{fd: fd, file: os.NewFile(uintptr(fd), "timerfd"), arm: unix.TimerfdSettime}
	t.start()
	return t, nil
}

func (t *timer) start() {
	t.rang = make(chan struct{}, 1)
	t.done.Go(t.listen)
}

// listen rings whenever the timer does, and when the clock was set, which the kernel tells as ECANCELED. A timer that
// cannot be read is lost, and rings for the last time.
func (t *timer) listen() {
	var count [8]byte
	for {
		_, err := t.file.Read(count[:])
		lost := err != nil && !errors.Is(err, unix.ECANCELED)
		if lost {
			t.mu.Lock()
			t.broken = true
			t.mu.Unlock()
		}
		ring(t.rang)
		if lost {
			return
		}
	}
}

// ring leaves word in c, where one is enough.
func ring(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// set sets the timer to at, zero for never. An error says that the clock was set before, or that there is no timer
// any more.
func (t *timer) set(at time.Time) error {
	var spec unix.ItimerSpec
	if !at.IsZero() {
		var err error
		if spec.Value, err = unix.TimeToTimespec(at); err != nil {
			spec.Value = unix.Timespec{} // later than a system of 32 bits can count: never
		}
	}
	err := t.arm(t.fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &spec, nil)
	if err != nil && !errors.Is(err, unix.ECANCELED) {
		t.mu.Lock()
		t.broken = true
		t.mu.Unlock()
	}
	return err
}

func (t *timer) lost() bool {
	if t == nil {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

func (t *timer) close() {
	_ = t.file.Close() // ends listen
	t.done.Wait()
}

// event is the head of struct inotify_event: the watch, what happened to it, and how long the name is that follows.
type event struct {
	watch int32
	mask  uint32
	name  string
}

// events takes what was read from inotify apart.
func events(data []byte) (list []event) {
	for len(data) >= unix.SizeofInotifyEvent {
		e := event{watch: int32(binary.NativeEndian.Uint32(data)), mask: binary.NativeEndian.Uint32(data[4:])}
		size := binary.NativeEndian.Uint32(data[12:])
		data = data[unix.SizeofInotifyEvent:]
		if uint64(size) > uint64(len(data)) {
			return list
		}
		e.name = strings.TrimRight(string(data[:size]), "\x00")
		data = data[size:]
		list = append(list, e)
	}
	return list
}
