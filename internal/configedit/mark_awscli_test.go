package configedit

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// The AWS CLI's own editor takes a comment with a colon or an equals sign for a key, and puts a new key of the
// section above behind it. A mark must not be parted from its header by that.
func TestMarksSurviveTheAWSCLI(t *testing.T) {
	aws := testtools.AWSCLI(t)
	const url = "https://d-1.awsapps.com/start#/?a=b"
	path := write(t,
		applied(t, example, mine("a", url, work...), mine("b", url, work...), mine("c", "corp", work...))).Config
	before := marksOf(text(t, path))
	for _, args := range [][]string{{"output", "json", "--profile", "a"}, {"region", "r2", "--profile", "c"}, {"s3.addressing_style", "path", "--profile", "a"}} {
		cmd := exec.Command(aws, append([]string{"configure", "set"}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+path, "AWS_PROFILE=", "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	got := marksOf(text(t, path))
	if a, b, c := got["a"], got["b"], got["c"]; len(before) != 3 || a.Owner != url || a.Intact || b.Owner != url ||
		!b.Intact ||
		c.Intact ||
		c.Owner != "corp" {
		t.Errorf("%+v\n%s", got, text(t, path))
	}
	after := applied(t, text(t, path), removal("b", url))
	if want := marked("b", url); !strings.Contains(text(t, path), want) || strings.Contains(after, "[profile b]") {
		t.Errorf("b is not as it was\n%s", after)
	}
}
