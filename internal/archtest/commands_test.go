package archtest

import (
	"strings"
	"testing"
)

// TestNoCommandImportsAnother keeps the commands apart: what two of them need moves below them.
func TestNoCommandImportsAnother(t *testing.T) {
	const commands = "internal/cmd/"
	looked := 0
	for name, p := range packages(t) {
		if !strings.HasPrefix(name, commands) {
			continue
		}
		looked++
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, module)
			if ours && strings.HasPrefix(target, commands) && !strings.HasPrefix(target, name+"/") {
				t.Errorf("%s imports %s: a command imports a command", name, target)
			}
		}
	}
	if looked < 10 {
		t.Errorf("only %d commands were looked at", looked)
	}
}
