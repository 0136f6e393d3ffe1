package editortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// forward opens a tunnel to the remote port unless there is one. The laptop's port is the same number, or the next,
// or any. As in VS Code it reports nothing when it is another one: the browser opens, and the redirect misses.
func (w *Window) forward(port int) {
	w.mu.Lock()
	_, there := w.tunnels[port]
	w.mu.Unlock()
	if there || w.o.Listen == nil {
		return
	}
	for _, local := range []int{port, port + 1, 0} {
		l, err := w.o.Listen(local)
		if err != nil {
			continue
		}
		w.keep(l)
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			local = a.Port
		}
		w.mu.Lock()
		w.tunnels[port] = local
		w.mu.Unlock()
		dial := w.o.Dial
		if dial == nil {
			dial = func(ctx context.Context, port int) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
			}
		}
		w.going.Go(func() { Relay(w.ctx, l, func(ctx context.Context) (net.Conn, error) { return dial(ctx, port) }) })
		return
	}
}

// Relay carries every connection that l accepts to one that dial makes, until l is closed or ctx ends; it returns
// when the last one is closed. A connection that cannot be carried on is closed, as a tunnel does whose far end
// refuses.
func Relay(ctx context.Context, l net.Listener, dial func(context.Context) (net.Conn, error)) {
	var going sync.WaitGroup
	defer going.Wait()
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		going.Go(func() {
			defer func() { _ = near.Close() }()
			far, err := dial(ctx)
			if err != nil {
				return
			}
			defer func() { _ = far.Close() }()
			stop := context.AfterFunc(ctx, func() { _, _ = near.Close(), far.Close() })
			defer stop()
			var both sync.WaitGroup
			both.Go(func() { pour(far, near) })
			both.Go(func() { pour(near, far) })
			both.Wait()
		})
	}
}

// pour copies until the end of from and hands the end on.
func pour(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = to.Close()
}

// Laptop is the loopback of another machine in memory: what the browser's side reaches as 127.0.0.1 is what was
// forwarded there and nothing else. The zero value is ready. Methods may be called by many goroutines.
type Laptop struct {
	mu    sync.Mutex
	ports map[int]*memoryListener
}

// Listen is for Options.Listen.
func (p *Laptop) Listen(port int) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ports == nil {
		p.ports = map[int]*memoryListener{}
	}
	for any := 40000; port == 0; any++ {
		if p.ports[any] == nil {
			port = any
		}
	}
	if p.ports[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: syscall.EADDRINUSE}
	}
	l := &memoryListener{laptop: p, port: port, accept: make(chan net.Conn), closed: make(chan struct{})}
	p.ports[port] = l
	return l, nil
}

// DialContext is for the http.Transport of the laptop's browser: 127.0.0.1 and localhost are the laptop's own, where
// a port that was not forwarded refuses; every other host is the network that both sides share. With the hosts named
// in shared, such as an emulator's "127.0.0.1:4000", it dials from here.
func (p *Laptop) DialContext(shared ...string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, portText, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		for _, s := range shared {
			if s == addr {
				return new(net.Dialer).DialContext(ctx, network, addr)
			}
		}
		if !loopback(host) && host != "::1" {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		port, err := strconv.Atoi(portText)
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		l := p.ports[port]
		p.mu.Unlock()
		refused := &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s on the laptop: %w", addr,
			syscall.ECONNREFUSED)}
		if l == nil {
			return nil, refused
		}
		near, far := net.Pipe()
		select {
		case l.accept <- far:
			return near, nil
		case <-l.closed:
			return nil, refused
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), near.Close(), far.Close())
		}
	}
}

type memoryListener struct {
	laptop *Laptop
	port   int
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.laptop.mu.Lock()
		defer l.laptop.mu.Unlock()
		delete(l.laptop.ports, l.port)
	})
	return nil
}

func (l *memoryListener) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: l.port}
}
