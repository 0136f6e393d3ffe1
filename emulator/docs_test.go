package emulator

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDocumentationNamesEverything holds docs/emulator.md against the code: settings, switches, control requests,
// members of faults and operations.
func TestDocumentationNamesEverything(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	var want []string
	for _, v := range []any{settings{}, Switches{}, Fault{}} {
		for f := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				t.Errorf("%T.%s has no name in JSON", v, f.Name)
			}
			if name != "-" {
				want = append(want, "`"+name+"`")
			}
		}
	}
	for key := range controls {
		method, path, _ := strings.Cut(key, " ")
		if path == "" {
			path = "/"
		}
		want = append(want, "`"+method+" "+controlPath+path+"`")
	}
	for key, rt := range services {
		want = append(want, "| "+rt.op+" | `"+key+"`")
	}
	want = append(want, "`latency`", "`op`", "`times`", SecretMarker, DefaultStartURL, DefaultRegion)
	if len(want) < 60 {
		t.Errorf("only %d things to look for", len(want))
	}
	for _, w := range want {
		if !strings.Contains(doc, w) {
			t.Errorf("docs/emulator.md says nothing of %s", w)
		}
	}
}
