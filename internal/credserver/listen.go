package credserver

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

const (
	// readWait is how long a request may take to arrive: it is a few hundred bytes from the same machine.
	readWait = 5 * time.Second
	// idleWait is how long a connection is kept without a request.
	idleWait = 30 * time.Second
	// mostHeader bounds a request's header. The token and what SDKs say about themselves are far below.
	mostHeader = 16 << 10
	// mostConnections bounds what any user of this machine can make the server hold.
	mostConnections = 256
	// lastAnswers is how long answers under way may take once the server is told to end.
	lastAnswers = 2 * time.Second
)

// Listen opens the port, 0 for any that is free, on 127.0.0.1 alone. Errors are *fault.Error.
func Listen(ctx context.Context, port int) (net.Listener, int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp4", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String())
	if err != nil {
		f := fault.New(fault.Config, "try another port: --port 0 takes any that is free",
			"cannot listen on 127.0.0.1 port %d: %s", port, reason(err))
		f.Err = err
		return nil, 0, f
	}
	return l, l.Addr().(*net.TCPAddr).Port, nil
}

func reason(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	return err.Error()
}

// Serve answers requests on l, and renews ahead of time as Renew does, until ctx is done. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener, look time.Duration) error {
	server := &http.Server{
		Handler: s, ReadTimeout: readWait, ReadHeaderTimeout: readWait, WriteTimeout: mostWait + readWait,
		IdleTimeout:    idleWait,
		MaxHeaderBytes: mostHeader, DisableGeneralOptionsHandler: true, // "OPTIONS *" is a request like any other
		ErrorLog: log.New(io.Discard, "", 0), // strangers may send anything, and none of it belongs in a log
	}
	renewing, stop := context.WithCancel(ctx)
	var renewer sync.WaitGroup
	renewer.Go(func() { s.Renew(renewing, look) })
	defer renewer.Wait()
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(&limited{Listener: l, free: make(chan struct{}, mostConnections)}) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
	defer cancel()
	if server.Shutdown(leaving) != nil {
		_ = server.Close() // what is left is cut off
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// limited hangs up at once when there are too many connections.
type limited struct {
	net.Listener
	free chan struct{} // holds one for each connection
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &counted{Conn: conn, gone: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			_ = conn.Close()
		}
	}
}

type counted struct {
	net.Conn
	gone func()
}

func (c *counted) Close() error {
	defer c.gone()
	return c.Conn.Close()
}
