package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// TestRegions holds the list of regions against the one that the AWS CLI has.
func TestRegions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testtools.BotocoreData(t), "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Partitions []struct {
			ID      string
			Regions map[string]struct{ Description string }
		}
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{}
	for _, r := range regions {
		id, name, _ := strings.Cut(r, "\t")
		ours[id] = name
	}
	seen := 0
	for _, p := range data.Partitions {
		for id, r := range p.Regions {
			if strings.HasSuffix(id, "-global") || strings.HasPrefix(p.ID, "aws-iso") {
				continue
			}
			seen++
			if ours[id] != r.Description {
				t.Errorf("%s: %q, the AWS CLI says %q", id, ours[id], r.Description)
			}
		}
	}
	if seen == 0 || seen != len(ours) {
		t.Errorf("%d regions, the AWS CLI has %d", len(ours), seen)
	}
}
