package configedit

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

var (
	differentialFor = flag.Duration("awsconfig.for", 30*time.Second,
		"how long the differential tests generate files, both together")
	differentialSeed = flag.Uint64("awsconfig.seed", 0,
		"seed of the generated files; 0 takes a new one and prints it, with CI=true always the same")
)

// leastFiles is how many generated files mean something, however slow the machine is.
const leastFiles = 200

// generated calls check with generated files until the time is over.
func generated(t *testing.T, check func(r *rand.Rand, text string)) (files int) {
	t.Helper()
	seed := *differentialSeed
	switch {
	case seed != 0:
	case os.Getenv("CI") == "true":
		seed = 1 // a change is judged by what it changes; new files are looked for at every desk, and by make fuzz
	default:
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -awsconfig.seed=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	limit := *differentialFor / 2 // for each of the two tests
	if testing.Short() {
		limit /= 10
	}
	for end := time.Now().Add(limit); files < leastFiles || time.Now().Before(end); files++ {
		check(r, generate(r))
	}
	return files
}

// TestReadersAgree holds both rule sets against the real readers, on generated files.
func TestReadersAgree(t *testing.T) {
	o := askable(t)
	loadable, values := 0, 0
	files := generated(t, func(r *rand.Rand, text string) {
		o.checkCLI(t, text)
		values += o.checkSDK(t, text)
		if grammar.ParseCLI(text).Broken == nil {
			loadable++
			if r.IntN(8) == 0 {
				o.checkCLI(t, text, generate(r))
			}
		}
	})
	t.Logf("%d files, %d of them loadable by the AWS CLI, %d values compared with the Go SDK", files, loadable, values)
	if files < leastFiles || loadable*4 < files || values < files {
		t.Errorf("too little was compared for this to mean anything")
	}
}
