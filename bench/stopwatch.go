//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// stopwatch is the process that starts what is measured: bench/stopwatch says why. One program runs at a time.
type stopwatch struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// measured is what one run of a program took.
type measured struct {
	took   time.Duration
	memory float64 // MB at its peak
}

// startStopwatch starts the process, with the standard error that programs will have.
func startStopwatch(cmd *exec.Cmd) (*stopwatch, error) {
	cmd.Env = append(cmd.Env, "GOGC=20") // it stays small
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &stopwatch{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// run runs what cmd says: path, arguments, environment and folder; its output is thrown away.
func (s *stopwatch) run(cmd *exec.Cmd) (m measured, err error) {
	const end = "\x00\x00"
	args := append([]string{cmd.Path}, cmd.Args[1:]...)
	line := cmd.Dir + end + strings.Join(args, "\x00") + end + strings.Join(cmd.Env, "\x00") + end + "\n"
	if strings.Count(line, end) != 3 || strings.Count(line, "\n") != 1 {
		return m, fmt.Errorf("%q, with an empty argument or a line break", cmd.Args)
	}
	if _, err := io.WriteString(s.in, line); err != nil {
		return m, err
	}
	answer, err := s.out.ReadString('\n')
	if err != nil {
		return m, fmt.Errorf("%q: the stopwatch: %w", cmd.Args, err)
	}
	var kb float64
	var status int
	if _, err := fmt.Sscan(answer, (*int64)(&m.took), &kb, &status); err != nil {
		return m, err
	}
	if status != 0 {
		return m, fmt.Errorf("%q: exit status %d", cmd.Args, status)
	}
	m.memory = kb * 1024 / mb
	return m, nil
}

// close ends the process.
func (s *stopwatch) close() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }
