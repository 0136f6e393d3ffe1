//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package term

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	background = 200 * time.Millisecond // how often it is looked whether the process is in the foreground
	remainder  = time.Second            // how long the rest of a paste is waited for at the end
	patience   = 2 * time.Second        // how long restore waits for a reader that the system keeps in a read
)

// Inputs lets a person act while the program waits: it delivers the keys they press and the texts they paste at the
// terminal in, until ctx ends or restore is called; then, or when the terminal goes away, the channel is closed. What
// arrives is not shown. Lines are not edited, so a text of any length comes whole; Ctrl-C, Ctrl-Z and Ctrl-\ are the
// signals they always were, and output is processed as before.
//
// Bracketed paste is switched on in out when that is a terminal, and off again. restore puts the terminal back as it
// was and returns when the reader is gone. Calling it twice is fine, and the end of ctx does the same. It must be
// called before the program ends. What was not read yet stays for the next program, but not the rest of a paste that
// is under way: it would end up in the history of a shell. Between Ctrl-Z and SIGCONT the terminal is the shell's,
// which sets it as it likes; afterwards it is set up again.
//
// The error is errors.ErrUnsupported where in is no terminal, and on systems without all this. A process in the
// background, from the beginning ("homing login &") or later, neither reads nor changes the terminal, and no signal
// stops it for that, until it is in the foreground.
func Inputs(ctx context.Context, in, out *os.File) (inputs <-chan Input, restore func(), err error) {
	if in == nil || !IsTerminal(in) {
		return nil, nil, errors.ErrUnsupported
	}
	k := &keyboard{
		in:      in,
		fd:      int(in.Fd()),
		ch:      make(chan Input),
		done:    make(chan struct{}),
		signals: make(chan os.Signal, 1),
	}
	if IsTerminal(out) {
		k.out = out
	}
	if k.woken, k.wake, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	started := make(chan error)
	go func() {
		// The thread is not unlocked: it ends with the goroutine, and with it what was done to its signals.
		runtime.LockOSThread()
		keepRunning()
		defer close(k.done)
		defer close(k.ch)
		err := k.begin()
		started <- err
		if err == nil {
			k.read(ctx)
		}
		k.end()
	}()
	if err := <-started; err != nil {
		cancel()
		<-k.done
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, k.nudge)
	return k.ch, sync.OnceFunc(func() {
		cancel()
		select {
		case <-k.done:
		case <-time.After(patience):
		}
		stop()
	}), nil
}

// keyboard is a terminal that is being read. Everything but nudge belongs to one goroutine.
type keyboard struct {
	in          *os.File // kept, so that fd stays open
	fd          int
	out         *os.File // nil: no terminal to switch bracketed paste on in
	ch          chan Input
	done        chan struct{}
	signals     chan os.Signal // SIGCONT
	woken, wake *os.File       // a pipe that ends a poll

	closing sync.Mutex    // of wake
	saved   *unix.Termios // as it was when we first had it, nil before
	applied bool          // the terminal is set up for us
	decoder decoder
}

// foreground reports whether reading and changing the terminal is ours. A terminal that is not the controlling one
// has no jobs, and stops no process.
func (k *keyboard) foreground() bool {
	group, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP)
	return errors.Is(err, unix.ENOTTY) || err == nil && group == unix.Getpgrp()
}

// gone reports whether the terminal has hung up: then it knows nothing any more, not even its jobs.
func (k *keyboard) gone() bool {
	_, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP)
	return err != nil && !errors.Is(err, unix.ENOTTY)
}

// begin takes the terminal. In the background it is left alone; read takes it when it is ours.
func (k *keyboard) begin() error {
	if k.foreground() {
		if err := k.apply(); err != nil {
			return err
		}
	}
	signal.Notify(k.signals, unix.SIGCONT)
	return nil
}

// apply sets the terminal up. It is in the foreground.
func (k *keyboard) apply() error {
	if k.saved == nil {
		saved, err := unix.IoctlGetTermios(k.fd, getTermios)
		if err != nil {
			return err
		}
		k.saved = saved
	}
	t := *k.saved
	t.Lflag &^= unix.ICANON | unix.ECHO | unix.IEXTEN
	t.Lflag |= unix.ISIG
	t.Oflag |= unix.OPOST
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(k.fd, setTermios, &t); err != nil {
		return err
	}
	k.applied = true
	k.say(pasteOn)
	return nil
}

func (k *keyboard) say(sequence string) {
	if k.out != nil {
		_, _ = k.out.WriteString(sequence) // a terminal that is gone needs none
	}
}

// end gives the terminal back. In the background it is somebody else's already.
func (k *keyboard) end() {
	signal.Stop(k.signals)
	if k.applied && k.foreground() {
		k.drain()
		k.say(pasteOff)
		_ = unix.IoctlSetTermios(k.fd, setTermios, k.saved) // it can only be gone
	}
	k.closing.Lock()
	defer k.closing.Unlock()
	_ = k.woken.Close()
	_ = k.wake.Close()
	k.wake = nil
}

// nudge ends a poll.
func (k *keyboard) nudge() {
	k.closing.Lock()
	defer k.closing.Unlock()
	if k.wake != nil {
		_, _ = k.wake.Write([]byte{0}) // the pipe has room: this is done once
	}
}

// read delivers inputs until ctx ends or the terminal goes away.
func (k *keyboard) read(ctx context.Context) {
	buf := make([]byte, 4096)
	last := time.Now()
	for ctx.Err() == nil {
		select {
		case <-k.signals: // whoever had the terminal meanwhile may have set it up in another way
			k.applied = false
		default:
		}
		if !k.foreground() {
			if k.gone() {
				return
			}
			k.applied = false
			poll(background, k.woken.Fd())
			continue
		}
		if !k.applied && k.apply() != nil {
			return
		}
		timeout := background // SIGCONT and the foreground are looked at that often
		meaning := k.decoder.wait()
		if meaning > 0 {
			timeout = min(timeout, max(0, time.Until(last.Add(meaning))))
		}
		var got []Input
		switch poll(timeout, uintptr(k.fd), k.woken.Fd()) {
		case true:
			n, err := unix.Read(k.fd, buf)
			switch {
			case n > 0:
				last = time.Now()
				got = k.decoder.feed(buf[:n])
				clear(buf[:n])
			case err == nil: // the end of the input
				return
			case !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN):
				if k.foreground() { // else it is the background that forbids it
					return
				}
			}
		case false:
			if meaning > 0 && time.Since(last) >= meaning {
				got = k.decoder.silence()
			}
		}
		for _, i := range got {
			select {
			case k.ch <- i:
			case <-ctx.Done():
				return
			}
		}
	}
}

// drain reads the rest of a paste that is under way.
func (k *keyboard) drain() {
	buf := make([]byte, 4096)
	for end := time.Now().Add(remainder); k.decoder.inText(); {
		left := min(pasteEnd, time.Until(end))
		if left <= 0 || !poll(left, uintptr(k.fd)) {
			return
		}
		n, err := unix.Read(k.fd, buf)
		if n <= 0 && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return
		}
		k.decoder.feed(buf[:max(0, n)])
		clear(buf)
	}
}

// poll waits until one of the files can be read, or the timeout. It reports whether a read of the first will not
// wait.
func poll(timeout time.Duration, files ...uintptr) bool {
	fds := make([]unix.PollFd, len(files))
	for i, f := range files {
		fds[i] = unix.PollFd{Fd: int32(f), Events: unix.POLLIN}
	}
	n, err := unix.Poll(fds, int((timeout+time.Millisecond-1)/time.Millisecond))
	return err == nil && n > 0 && fds[0].Revents != 0
}
