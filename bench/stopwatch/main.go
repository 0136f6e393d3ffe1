//go:build unix

// Command stopwatch runs programs, one for each line of its standard input, and answers with a line: the nanoseconds
// each took, the most memory it had in kilobytes, and its exit status. It is a process of its own, as small as a Go
// program can be, for two reasons. What starting and waiting costs is added to both sides of a ratio, and makes it
// look smaller. And Linux counts as the memory of a new process also what the one had that started it.
//
// A line is a folder, the program with its arguments, and the environment: each item ended by NUL, each of the three
// by another NUL. The program's standard error is this one's.
package main

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	runtime.LockOSThread() // no other thread has to wake when a program ends
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		fail(err)
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			fail(err)
		}
		parts := strings.Split(strings.TrimSuffix(line, "\x00\x00\n"), "\x00\x00")
		if len(parts) != 3 {
			fail(syscall.EINVAL)
		}
		args := strings.Split(parts[1], "\x00")
		attr := &syscall.ProcAttr{Dir: parts[0], Env: strings.Split(parts[2], "\x00"), Files: []uintptr{null.Fd(),
			null.Fd(), 2}}
		took, most, status := measure(args, attr)
		if _, err := os.Stdout.WriteString(strconv.FormatInt(int64(took), 10) + " " + strconv.FormatInt(most, 10) +
			" " + strconv.Itoa(status) + "\n"); err != nil {
			fail(err)
		}
	}
}

// measure runs a program. The status of one that a signal ended is 128 more than the signal.
func measure(args []string, attr *syscall.ProcAttr) (took time.Duration, most int64, exit int) {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	start := time.Now()
	pid, err := syscall.ForkExec(args[0], args, attr)
	if err != nil {
		fail(err)
	}
	for {
		if _, err = syscall.Wait4(pid, &status, 0, &usage); err != syscall.EINTR {
			break
		}
	}
	took = time.Since(start)
	if err != nil {
		fail(err)
	}
	most = int64(usage.Maxrss) //nolint:unconvert // 32 bits on some
	if runtime.GOOS == "darwin" {
		most /= 1024 // bytes there, kilobytes elsewhere
	}
	if status.Signaled() {
		return took, most, 128 + int(status.Signal())
	}
	return took, most, status.ExitStatus()
}

func fail(err error) {
	_, _ = os.Stderr.WriteString("stopwatch: " + err.Error() + "\n")
	os.Exit(1)
}
