package awsconfig

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// seeds are all texts of the tables and some generated ones.
func seeds() []string {
	var texts []string
	for _, tt := range traps {
		texts = append(texts, tt.text)
	}
	for _, tt := range applyTests {
		texts = append(texts, tt.before, tt.after)
	}
	for _, tt := range refusedTests {
		texts = append(texts, tt.before)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		texts = append(texts, generate(r))
	}
	return append(texts, example)
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
	})
}

// FuzzEdit: an edit of any text is refused with words for a person, or both real readers read what was asked for and
// every byte that was not meant is as before.
func FuzzEdit(f *testing.F) {
	o := askable(f)
	for i, text := range seeds() {
		f.Add(text, genNames[i%len(genNames)], fieldNames[i%len(fieldNames)], "value", i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, text, name, key, value string, unset bool) {
		if len(text) > 4096 || !utf8.ValidString(text) {
			return
		}
		if _, ok := sdkFields[key]; !ok {
			return
		}
		e := Edit{Section: Section{kindProfile, name}}
		if unset {
			e.Unset = []string{key}
		} else {
			e.Set = []KeyValue{{key, value}}
		}
		o.checkEdit(t, text, []Edit{e})
	})
}
