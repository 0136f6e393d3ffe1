package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// addLine is an edit that puts a line at the end unless it is there. Lines stand for keys.
func addLine(line string) *Edit {
	return &Edit{
		Change: func(text string) (string, error) {
			if strings.Contains(text, line+"\n") {
				return text, nil
			}
			return text + line + "\n", nil
		},
		Merge: func(base, theirs, _, ours string) (string, error) {
			for l := range strings.Lines(theirs) {
				if !strings.Contains(base, l) && !strings.Contains(ours, l) {
					ours += l
				}
			}
			return ours, nil
		},
		Blank: func(text string) bool { return text == "" },
	}
}

// at makes the edit call do once, when it has reached a step.
func (e *Edit) at(step string, do func()) *Edit {
	before := e.reached
	done := false
	e.reached = func(s string) {
		if before != nil {
			before(s)
		}
		if s == step && !done {
			done = true
			do()
		}
	}
	return e
}

func fileWith(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	writeText(t, path, text)
	return path
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

// holds checks the texts of a file and its backup, and that no other file of ours but the lock is left.
func holds(t *testing.T, path, text, backup string) {
	t.Helper()
	for name, want := range map[string]string{path: text, path + BackupSuffix: backup} {
		if got, err := ReadInPlace(name); err != nil || got != want {
			t.Errorf("%s holds %q, want %q (%v)", filepath.Base(name), got, want, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{"config", "config" + BackupSuffix, "config.lock"}, e.Name()) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// openForWriting is what another program does first: it truncates.
func openForWriting(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func end(t *testing.T, f *os.File, text string) {
	t.Helper()
	_, err := f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Error(err)
	}
}

// everyRule runs a test where leases, exchange and links are there, and where one after the other is missing.
func everyRule(t *testing.T, test func(t *testing.T, edit func(line string) *Edit)) {
	for name, change := range map[string]func(*Edit){
		"all":         func(*Edit) {},
		"no lease":    func(e *Edit) { e.noLease = true },
		"no exchange": func(e *Edit) { e.noExchange = true },
		"neither":     func(e *Edit) { e.noLease, e.noExchange = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(line string) *Edit {
				e := addLine(line)
				change(e)
				return e
			})
		})
	}
}

// Case D1: another program has truncated the file and writes it 10 ms later.
func TestEditOfTruncatedFile(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\n")
		f := openForWriting(t, path)
		time.AfterFunc(10*time.Millisecond, func() { end(t, f, "a\ntheirs\n") })
		if err := edit("ours").Run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "a\ntheirs\nours\n", "a\ntheirs\n")
	})
}

// A program that never closes the file, or never fills it, is not overwritten.
func TestEditGivesUp(t *testing.T) {
	t.Parallel()
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		t.Parallel()
		path := fileWith(t, "a\n")
		f := openForWriting(t, path)
		defer func() { _ = f.Close() }()
		start := time.Now()
		err := edit("ours").Run(t.Context(), path)
		var busy *Busy
		if !errors.As(err, &busy) || busy.Path != path || busy.Replaced != "" || time.Since(start) < editWait {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		holds(t, path, "", "")
	})
}

// A program that has opened the file before it was replaced writes into what was replaced.
func TestEditBesideLateWriter(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\n")
		e := edit("ours")
		var f *os.File
		if e.noLease {
			e.at("ready", func() {
				var err error
				if f, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil { // truncating would be noticed
					t.Fatal(err)
				}
			}).at("published", func() {
				time.AfterFunc(10*time.Millisecond, func() { end(t, f, "a\ntheirs\n") })
			})
		} else {
			opened := make(chan struct{})
			e.at("ready", func() { // opening waits for the lease
				go func() {
					defer close(opened)
					end(t, openForWriting(t, path), "a\ntheirs\n")
				}()
				time.Sleep(20 * time.Millisecond)
			})
			defer func() { <-opened }()
		}
		if err := e.Run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "a\ntheirs\nours\n", "a\ntheirs\n")
	})
}

// A program that has read the file before it was replaced writes it back afterwards, twice: into what was replaced
// and over the new file.
func TestEditWrittenBack(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\n")
		e := edit("ours").at("published", func() {
			writeText(t, filepath.Join(filepath.Dir(path), ".config.homing-replaced"), "a\nfirst\n")
			writeText(t, path, "a\nsecond\n")
		})
		if err := e.Run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "a\nsecond\nfirst\nours\n", "a\nsecond\nfirst\n")
	})
}

// The same, over the new file only.
func TestEditUndoneByOthers(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\n")
		e := edit("ours").at("published", func() { writeText(t, path, "a\nsecond\n") })
		if err := e.Run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "a\nsecond\nours\n", "a\nsecond\n")
	})
}

// A program keeps what was replaced open: both files stay, and the next edit brings them together.
func TestEditUnfinished(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("without leases nobody knows that a file is open")
	}
	t.Parallel()
	path := fileWith(t, "a\n")
	replaced := filepath.Join(filepath.Dir(path), ".config.homing-replaced")
	var f *os.File
	err := addLine("ours").at("published", func() { f = openForWriting(t, replaced) }).Run(t.Context(), path)
	var busy *Busy
	if !errors.As(err, &busy) || busy.Path != path || busy.Replaced != replaced {
		t.Errorf("%v", err)
	}
	end(t, f, "a\ntheirs\n")
	if got, _ := ReadInPlace(path); got != "a\nours\n" {
		t.Errorf("%q", got)
	}
	if err := addLine("more").Run(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "a\nours\ntheirs\nmore\n", "a\nours\ntheirs\n")
}

// Killed between any two steps, nothing gets lost, also what others write before the next edit.
func TestEditKilled(t *testing.T) {
	type killed struct{}
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		for _, tt := range []struct {
			name, step string
			meanwhile  func(path, replaced string)
			want       []string
		}{
			{"before", "ready", func(string, string) {}, []string{"a", "next"}},
			{"after", "published", func(string, string) {}, []string{"a", "ours", "next"}},
			{"late writer", "published", func(_, replaced string) { writeText(t, replaced, "a\ntheirs\n") }, []string{"a", "ours", "theirs", "next"}},
			{"written back", "published", func(path, replaced string) {
				writeText(t, replaced, "a\nfirst\n")
				writeText(t, path, "a\nsecond\n")
			}, []string{"a", "ours", "first", "second", "next"}},
			{"emptied", "published", func(_, replaced string) { writeText(t, replaced, "") }, []string{"a", "ours", "next"}},
		} {
			if tt.name == "emptied" && edit("").noLease {
				continue // it takes 5 s, and then nothing is deleted: TestEditGivesUp
			}
			t.Run(tt.name, func(t *testing.T) {
				path := fileWith(t, "a\n")
				func() {
					defer func() {
						if r := recover(); r != (killed{}) {
							t.Fatal(r)
						}
					}()
					_ = edit("ours").at(tt.step, func() { panic(killed{}) }).Run(t.Context(), path)
				}()
				tt.meanwhile(path, filepath.Join(filepath.Dir(path), ".config.homing-replaced"))
				if err := edit("next").Run(t.Context(), path); err != nil {
					t.Fatal(err)
				}
				got, err := ReadInPlace(path)
				if err != nil {
					t.Fatal(err)
				}
				lines := strings.Fields(got)
				slices.Sort(lines)
				slices.Sort(tt.want)
				if !slices.Equal(lines, tt.want) {
					t.Errorf("got %q, want %q", lines, tt.want)
				}
				backup, _ := ReadInPlace(path + BackupSuffix)
				holds(t, path, got, backup)
			})
		}
	})
}

// The backup keeps what there is to lose.
func TestEditKeepsBackup(t *testing.T) {
	path := fileWith(t, "a\n")
	if err := addLine("ours").Run(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "a\nours\n", "a\n")
	writeText(t, path, "")
	if err := addLine("ours").Run(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "ours\n", "a\n")
}

// Without leases, an edit waits for a file that is still being written.
func TestEditWaitsForRest(t *testing.T) {
	path := fileWith(t, "a\n")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range 10 {
			time.Sleep(5 * time.Millisecond)
			_, _ = f.WriteString("part\n")
		}
		end(t, f, "last\n")
	}()
	time.Sleep(5 * time.Millisecond)
	e := addLine("ours")
	e.noLease = true
	if err := e.Run(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if got, _ := ReadInPlace(path); !strings.HasSuffix(got, "last\nours\n") {
		t.Errorf("%q", got)
	}
}

// Nobody writes while the edit holds its lease, and the lease is gone afterwards.
func TestEditHoldsLease(t *testing.T) {
	if runtime.GOOS != "linux" || leaseless {
		t.Skip("no leases")
	}
	path := fileWith(t, "a\n")
	var opened error
	open := func() { _, opened = open(path, os.O_WRONLY) } // O_NONBLOCK fails instead of waiting
	if err := addLine("ours").at("ready", open).Run(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if opened == nil {
		t.Error("another program could write between reading and publishing")
	}
	if open(); opened != nil {
		t.Error(opened)
	}
}

// A file that is replaced by another one, or made, between reading and publishing is read again.
func TestEditOfReplacedFile(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\n")
		e := edit("ours").at("ready", func() {
			writeText(t, path+"2", "other\n")
			if err := os.Rename(path+"2", path); err != nil {
				t.Fatal(err)
			}
		})
		published := 0
		reached := e.reached
		e.reached = func(step string) {
			if step == "published" {
				published++
			}
			reached(step)
		}
		if err := e.Run(t.Context(), path); err != nil || published != 1 {
			t.Fatalf("%v, published %d times", err, published)
		}
		holds(t, path, "other\nours\n", "other\n")
		made := filepath.Join(t.TempDir(), "config")
		if err := edit("ours").at("ready", func() { writeText(t, made, "other\n") }).Run(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		holds(t, made, "other\nours\n", "other\n")
	})
}

// An edit can be stopped while it waits for another program.
func TestEditStops(t *testing.T) {
	path := fileWith(t, "a\n")
	f := openForWriting(t, path)
	defer func() { _ = f.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := addLine("ours").Run(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// An empty file that nobody has touched for a while is empty: it can be edited without leases, too.
func TestEditOfEmptyFile(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "")
		old := time.Now().Add(-time.Minute)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		if err := edit("ours").Run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "ours\n", "")
	})
}

// Whether there is nothing to do is not decided by a file that is being written.
func TestEditWithoutWorkOfTruncatedFile(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\nours\n")
		f := openForWriting(t, path)
		time.AfterFunc(10*time.Millisecond, func() { end(t, f, "a\nours\n") })
		e := edit("")
		e.Change = func(text string) (string, error) { return strings.ReplaceAll(text, "ours\n", ""), nil }
		if err := e.Run(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		holds(t, path, "a\n", "a\nours\n")
	})
}

// A context that ends once the edit is published says that it is.
func TestEditStoppedAfterPublishing(t *testing.T) {
	everyRule(t, func(t *testing.T, edit func(string) *Edit) {
		path := fileWith(t, "a\n")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		e := edit("ours")
		e.at("published", cancel)
		if err := e.Run(ctx, path); !errors.Is(err, ErrPublished) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if got, err := ReadInPlace(path); got != "a\nours\n" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}
