package configedit

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// tableTexts are all texts of the tables.
var tableTexts = sync.OnceValue(func() (texts []string) {
	for _, tt := range traps {
		texts = append(texts, tt.text)
	}
	for _, tt := range applyTests {
		texts = append(texts, tt.before, tt.after)
	}
	for _, tt := range refusedTests {
		texts = append(texts, tt.before)
	}
	for _, tt := range markTests {
		texts = append(texts, tt.text)
	}
	for _, tt := range removeTests {
		texts = append(texts, tt.before, tt.after)
	}
	return append(texts, example, hard)
})

// seeds are those and some generated ones.
func seeds() []string {
	texts := slices.Clone(tableTexts())
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		texts = append(texts, generate(r))
	}
	return texts
}

// FuzzReaders: both rule sets read any text as the real readers do.
func FuzzReaders(f *testing.F) {
	o := askable(f)
	texts := seeds()
	if len(texts) < 100 {
		f.Fatal("the seeds are missing")
	}
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		o.checkCLI(t, text)
		o.checkSDK(t, text)
		for _, d := range []*grammar.Document{grammar.ParseCLI(text), grammar.ParseSDK(text)} {
			for name, m := range awsconfig.ReadingOf(d).Marks() {
				if m.Owner == "" || strings.Count(text, "\n") < m.Line {
					t.Errorf("the mark of %q is %+v", name, m)
				}
			}
		}
	})
}

// FuzzEdit: an edit of any text is refused with words for a person, or both real readers read what was asked for and
// every byte that was not meant is as before.
func FuzzEdit(f *testing.F) {
	o := askable(f)
	for i, text := range seeds() {
		f.Add(
			text,
			genNames[i%len(genNames)],
			fieldNames[i%len(fieldNames)],
			"value",
			[]string{"", "corp"}[i/2%2],
			uint8(i),
		)
	}
	f.Fuzz(func(t *testing.T, text, name, key, value, owner string, how uint8) {
		if len(text) > 4096 || !utf8.ValidString(text) || len(owner) > 100 {
			return
		}
		if _, ok := sdkFields[key]; !ok {
			return
		}
		e := Edit{Section: Section{grammar.KindProfile, name}, Owner: owner}
		switch how % 3 {
		case 0:
			e.Set = []KeyValue{{key, value}}
		case 1:
			e.Unset = []string{key}
		case 2:
			e.Remove = true
		}
		o.checkEdit(t, text, []Edit{e})
	})
}

// FuzzEdits is FuzzEdit for several edits at once: profiles added, changed, renewed and removed beside each other.
func FuzzEdits(f *testing.F) {
	o := askable(f)
	for i, text := range seeds() {
		f.Add(text, uint64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 4096 || !utf8.ValidString(text) {
			return
		}
		o.checkEdit(t, text, randomEdits(rand.New(rand.NewPCG(seed, 0))))
	})
}
