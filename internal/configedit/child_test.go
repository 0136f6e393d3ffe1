package configedit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

// childMain runs the test binary as another process, when a test has started it as one:
//
//	add PATH PREFIX N    add N profiles, one edit each
//	flip PATH N          set each of N profiles to the same new region, again and again, a line on stdout for each
//	grow PATH N          add N managed profiles at once and remove them again, without end, a line on stdout for each
//	count PATH N         count region of profile dev up by one, N times
//	set PATH             one edit; prints the error's kind and text
func childMain() bool {
	args := strings.Fields(os.Getenv("HOMING_AWSCONFIG_CHILD"))
	if len(args) == 0 {
		return false
	}
	path := args[1]
	ctx := context.Background()
	var err error
	switch args[0] {
	case "add":
		n, _ := strconv.Atoi(args[3])
		for i := range n {
			if err == nil {
				err = Update(ctx, path,
					set1(Section{grammar.KindProfile, fmt.Sprintf("%s%d", args[2], i)}, "region", "r"))
			}
		}
	case "flip":
		n, _ := strconv.Atoi(args[2])
		for round := 0; err == nil; round++ {
			err = Update(ctx, path, flip(n, round)...)
			fmt.Println(round)
		}
	case "grow":
		n, _ := strconv.Atoi(args[2])
		for round := 0; err == nil; round++ {
			err = Update(ctx, path, grow(n, round%2 == 1)...)
			fmt.Println(round)
		}
	case "count":
		n, _ := strconv.Atoi(args[2])
		for range n {
			if err == nil {
				err = UpdateFunc(ctx, path, countUp)
			}
		}
	case "set":
		err = Update(ctx, path, set1(dev, "region", "new"))
		fmt.Println(fault.KindOf(err), err, fault.RemedyOf(err))
		return true
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func flip(n, round int) []Edit {
	edits := make([]Edit, n)
	for i := range edits {
		edits[i] = set1(Section{grammar.KindProfile, fmt.Sprintf("account-%d-Admin", i)}, "region",
			fmt.Sprintf("r%d", round))
	}
	return edits
}

// grow adds n managed profiles, or removes them.
func grow(n int, remove bool) []Edit {
	edits := make([]Edit, n)
	for i := range edits {
		e := mine(fmt.Sprintf("grown-%d", i), "corp", work...)
		if e.Remove = remove; remove {
			e.Set = nil
		}
		edits[i] = e
	}
	return edits
}

// countUp is an edit that depends on what is in the file.
func countUp(src []byte) ([]Edit, error) {
	p, _ := awsconfig.Parse("config", src).Profile(dev.Name)
	n, _ := strconv.Atoi(p.Get("region"))
	return []Edit{set1(dev, "region", strconv.Itoa(n+1))}, nil
}

func child(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "HOMING_AWSCONFIG_CHILD="+strings.Join(args, " "))
	cmd.Stderr = os.Stderr
	return cmd
}
