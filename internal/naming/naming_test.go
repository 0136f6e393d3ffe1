package naming_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/naming"
	"github.com/homing-cli/homing/internal/plain"
)

var acme = naming.Fields{
	AccountName: "Acme Prod (EU)", AccountID: "111122223333", AccountEmail: "aws+prod@acme.example", RoleName: "AdministratorAccess",
	Session: "corp", Region: "eu-west-1",
}

func name(t *testing.T, template string, f naming.Fields) string {
	t.Helper()
	parsed, err := naming.Parse(template)
	if err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	got, err := parsed.Name(f)
	if err != nil {
		t.Fatalf("%s: %v", template, err)
	}
	return got
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"":                                                                        "acme-prod-eu-AdministratorAccess",
		"{{.AccountName | slug}}-{{.RoleName}}":                                   "acme-prod-eu-AdministratorAccess",
		"{{.AccountName}}-{{.RoleName}}":                                          "Acme-Prod-EU-AdministratorAccess",
		"{{.AccountID}}/{{.RoleName}}":                                            "111122223333/AdministratorAccess",
		"{{.AccountEmail}}":                                                       "aws+prod@acme.example",
		"{{.Session}}.{{.Region}}.{{.AccountID}}":                                 "corp.eu-west-1.111122223333",
		"{{ .AccountName|lower }}":                                                "acme-prod-eu",
		"{{.AccountName | upper}}":                                                "ACME-PROD-EU",
		"{{\t.AccountName\n| slug | upper }}":                                     "ACME-PROD-EU",
		`{{.AccountName | trim "Acme "}}`:                                         "Prod-EU",
		`{{.AccountName | trim "(EU)" | trim | lower}}`:                           "acme-prod",
		`{{.AccountName | trim "none"}}`:                                          "Acme-Prod-EU",
		`{{.AccountName | replace "Prod" "p" | slug}}`:                            "acme-p-eu",
		`{{.AccountName | replace " " ""}}`:                                       "AcmeProd-EU",
		`{{.AccountName | slug | regex "^acme-(.*)$" "$1"}}`:                      "prod-eu",
		"{{.AccountName | regex `(?i)^(\\w+) (\\w+).*` `${2}.$1`}}":               "Prod.Acme",
		`{{.AccountName | regex "nothing" "x" | slug}}`:                           "acme-prod-eu",
		`{{.RoleName | regex "Access$" "" | replace "Administrator" "admin"}}`:    "admin",
		`{{.RoleName | regex "[a-z]" ""}}`:                                        "AA",
		`{{"fixed"}}-{{.RoleName | lower}}`:                                       "fixed-administratoraccess",
		`{{.AccountName | regex ".*" "" | default "none"}}-x`:                     "none-x",
		`{{.AccountName | default "none" | slug}}`:                                "acme-prod-eu",
		`aws {{.RoleName}} here`:                                                  "aws-AdministratorAccess-here",
		`{{.AccountName | replace "\u0041" "\"b\""}}`:                             "bcme-Prod-EU",
		`--{{.RoleName}}--`:                                                       "AdministratorAccess",
		`{ {{.AccountID}} }`:                                                      "111122223333",
		"fixed":                                                                   "fixed",
		"{{.AccountName | regex `^$` `x`}}":                                       "Acme-Prod-EU",
		`{{.AccountEmail | regex "@.*" "" | regex "^[^+]*\\+" ""}}-{{.RoleName}}`: "prod-AdministratorAccess",
	} {
		if got := name(t, template, acme); got != want {
			t.Errorf("%s makes %q, not %q", template, got, want)
		}
	}
}

// Account names are text from strangers.
func TestCleaning(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]string{
		"Acme [Prod]":                      "Acme-Prod|acme-prod",
		"a]\n[profile evil]":               "a-profile-evil|a-profile-evil",
		"a\r\nsso_start_url = x":           "a-sso_start_url-x|a-sso-start-url-x",
		"a\x00b\x1b[2Jc":                   "ab-2Jc|ab-2jc",
		"Bob's \"own\" `place`":            "Bobs-own-place|bobs-own-place",
		"\u202eevil\u202c":                 "evil|evil",
		"zero\u200bwidth\ufeff":            "zerowidth|zerowidth",
		"Zürich Straße Ærø Łódź":           "Zurich-Strasse-AEro-Lodz|zurich-strasse-aero-lodz",
		"Zu\u0308rich":                     "Zurich|zurich",
		"本番 prod":                          "prod|prod",
		"本番":                               "111122223333|111122223333",
		"":                                 "111122223333|111122223333",
		" \t\n":                            "111122223333|111122223333",
		"---":                              "111122223333|111122223333",
		"a   b":                            "a-b|a-b",
		"a - b":                            "a-b|a-b",
		"R&D / Test":                       "R-D-/-Test|r-d-test",
		"team_one.two":                     "team_one.two|team-one-two",
		"a#b;c=d":                          "a-b-c-d|a-b-c-d",
		"\xff\xfe":                         "111122223333|111122223333",
		"a\xffb":                           "ab|ab",
		"-rf":                              "rf|rf",
		"$(id)":                            "id|id",
		"a\\b":                             "a-b|a-b",
		"\u2028a\u2029b\u0085c":            "a-b-c|a-b-c",
		"default":                          "default-111122223333|default-111122223333",
		"DEFAULT":                          "DEFAULT-111122223333|default-111122223333",
		strings.Repeat("long ", 100) + "x": "",
	} {
		f := acme
		f.AccountName = account
		for i, template := range []string{"{{.AccountName}}", "{{.AccountName | slug}}"} {
			got := name(t, template, f)
			if want != "" && got != strings.Split(want, "|")[i] {
				t.Errorf("%q by %s: %q, not %q", account, template, got, want)
			}
			if err := configedit.ValidName(got); err != nil {
				t.Errorf("%q by %s: %v", account, template, err)
			}
		}
	}
}

// Of two long names with the same beginning each keeps one of its own.
func TestLongNames(t *testing.T) {
	t.Parallel()
	a, b := acme, acme
	a.AccountName, b.AccountName = strings.Repeat("a", 180)+"1", strings.Repeat("a", 180)+"2"
	one, two := name(t, "{{.AccountName}}", a), name(t, "{{.AccountName}}", b)
	if one == two || len(one) > naming.MaxName || one != name(t, "{{.AccountName}}", a) {
		t.Errorf("%q and %q", one, two)
	}
}

// The characters of names are those that the config file takes, and the longest name leaves room for a number, a role
// and a hash behind it.
func TestTheSameRuleAsTheConfigFile(t *testing.T) {
	t.Parallel()
	for r := range rune(0x3000) {
		if got, want := naming.Portable(r), configedit.ValidName("a"+string(r)) == nil; got != want {
			t.Errorf("%q: %v, and in a file %v", r, got, want)
		}
	}
	if err := configedit.ValidName(strings.Repeat("a", naming.MaxName+len("-12345678901234567890-")+64)); err != nil {
		t.Error(err)
	}
}

func TestTemplatesThatAreWrong(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"{{.Account}}":                           `column 3: there is no field ".Account"`,
		"{{.accountname}}":                       `column 3: there is no field ".accountname"; it is written ".AccountName"`,
		"ü{{.Nope}}":                             "column 4: ",
		"{{AccountName}}":                        `column 3: "AccountName" is no field`,
		"{{slug .AccountName}}":                  `"slug" is no field; one begins with a dot, and helpers stand behind it`,
		"{{}}":                                   "column 3: a field is missing",
		"{{.RoleName":                            `column 1: "{{" is not closed`,
		"{{.RoleName | slug":                     `column 1: "{{" is not closed`,
		"{{.RoleName}":                           `column 12: "" stands where`,
		"a}}b":                                   `column 2: "}}" closes nothing`,
		"{{.RoleName}}}}":                        `column 14: "}}" closes nothing`,
		"{{.RoleName slug}}":                     `column 13: "slug" stands where "|" or "}}" should`,
		"{{.RoleName | nope}}":                   `column 15: there is no helper "nope"`,
		"{{.RoleName | }}":                       `column 15: a helper is missing behind "|"`,
		"{{.RoleName || slug}}":                  `a helper is missing`,
		`{{.RoleName | slug "x"}}`:               "slug has 1 texts behind it; it is written: slug",
		`{{.RoleName | replace "x"}}`:            `replace has 1 texts behind it; it is written: replace "from" "to"`,
		`{{.RoleName | trim "a" "b"}}`:           "trim has 2 texts",
		`{{.RoleName | default}}`:                "default has 0 texts",
		`{{.RoleName | replace "" "x"}}`:         "replaces nothing",
		`{{.RoleName | regex "(" "x"}}`:          `column 15: regex does not understand "(": missing closing )`,
		`{{.RoleName | regex "(a{9}){99}" "x"}}`: `regex has an expression that is too large: "(a{9}){99}"`,
		`{{.RoleName | regex "a{9999}" "x"}}`:    `regex does not understand "{9999}": invalid repeat count`,
		`{{.RoleName | trim "x}}`:                "this text in quotes does not end",
		`{{.RoleName | trim "\d"}}`:              `has an unknown escape in it (write \\ for a backslash)`,
		`{{.RoleName | trim 'x'}}`:               `"'x'" stands where`,
		"{{.RoleName\xff}}":                      "not UTF-8",
		strings.Repeat("x", 2000):                "the template is 2000 characters long",
		`{{if .RoleName}}x{{end}}`:               `"if" is no field`,
		`{{.RoleName.Env}}`:                      "there is no field",
	} {
		_, err := naming.Parse(template)
		if err == nil {
			t.Errorf("%q is taken", template)
			continue
		}
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) || fault.RemedyOf(err) == nil {
			t.Errorf("%q: %v (%v)", template, err, fault.RemedyOf(err))
		}
	}
	parsed, err := naming.Parse("{{.AccountEmail}}")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parsed.Name(naming.Fields{AccountID: "1", RoleName: "r"}); fault.KindOf(err) != fault.Usage ||
		got != "" {
		t.Errorf("an empty name: %q, %v", got, err)
	}
	if parsed.String() != "{{.AccountEmail}}" {
		t.Errorf("%q", parsed)
	}
}

// Helpers after helpers make no text that grows for ever, and no expression takes long.
func TestTemplatesThatGrow(t *testing.T) {
	t.Parallel()
	f := acme
	f.AccountName = strings.Repeat("a", 500)
	grow := "{{.AccountName" + strings.Repeat(`|replace "a" "aaaaaaaaaa"`, 39) + "}}"
	evil := "{{.AccountName | regex `(((a*)*)*)*$` `$1$1$1$1$1$1$1$1$1$1` | regex `` `aaaaaaaa`}}"
	slow := "{{.AccountName | regex `((a?){80}x|(.*y))|` ``}}"
	start := time.Now()
	for _, template := range []string{grow, evil, slow} {
		if n := name(t, template, f); len(n) > naming.MaxName {
			t.Errorf("%d characters", len(n))
		}
	}
	if d := time.Since(start); d > 20*time.Second { // a tenth of one; without bounds it does not end
		t.Errorf("it took %v", d)
	}
}

func FuzzName(f *testing.F) {
	for _, template := range []string{naming.Default, `{{.AccountName | trim "a" | replace "b" "c"}}`, "{{.RoleName | regex `x(.)` `$1`}}", `{{"a"}}`, "{{", "x}}", `{{.AccountEmail | default "d"}}`} {
		f.Add(template, "Acme [Prod]\n", "111122223333", "Admin")
	}
	f.Add("{{.AccountName}}", "\u202e\x00ß", "", "default")
	f.Fuzz(func(t *testing.T, template, account, id, role string) {
		parsed, err := naming.Parse(template)
		if err != nil {
			if fault.KindOf(err) != fault.Usage || fault.RemedyOf(err) == nil ||
				!plain.IsLine(strings.ReplaceAll(err.Error(), " ", "_")) {
				t.Errorf("%q: %v", template, err)
			}
			return
		}
		fields := naming.Fields{
			AccountName:  account,
			AccountID:    id,
			RoleName:     role,
			AccountEmail: account,
			Session:      role,
			Region:       id,
		}
		got, err := parsed.Name(fields)
		if err != nil {
			if fault.KindOf(err) != fault.Usage || got != "" {
				t.Errorf("%q, %v", got, err)
			}
			return
		}
		if invalid := configedit.ValidName(got); invalid != nil || len(got) > naming.MaxName ||
			strings.EqualFold(got, "default") {
			t.Errorf("%q: %v", got, invalid)
		}
		if naming.Clean(got) != got || !utf8.ValidString(got) {
			t.Errorf("%q is not clean: %q", got, naming.Clean(got))
		}
		if again, _ := parsed.Name(fields); again != got {
			t.Errorf("%q and %q", got, again)
		}
	})
}

func BenchmarkName(b *testing.B) {
	parsed, err := naming.Parse("{{.AccountName | slug | regex \"^acme-\" \"\"}}-{{.RoleName}}")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := parsed.Name(acme); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleTemplate_Name() {
	t, _ := naming.Parse(`{{.AccountName | slug | trim "acme-"}}/{{.RoleName | lower}}`)
	fmt.Println(t.Name(naming.Fields{AccountName: "Acme Staging", AccountID: "111122223333", RoleName: "ReadOnly"}))
	// Output: staging/readonly <nil>
}
