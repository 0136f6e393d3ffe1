package emulator

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestReadDirectoryFindsMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                         "no users",
		`{"users":[]}`:               "no users",
		`{"users":[{"name":"a"}]}`:   `user name "a": want 2 to 64`,
		`{"users":[{"name":"a b"}]}`: `user name "a b": want 2 to 64`,
		`{"users":[{"name":"ada"},{"name":"ada"}]}`: `user "ada" occurs twice`,
		`{"users":[{"name":"ada","colour":1}]}`:     `unknown field "colour"`,
		`{"users":[{"name":"ada"}]} {}`:             "more than one JSON value",
		`{"users":[{"name":"ada"}],"accounts":` +
			`[{"id":"12345678901"}]}`: `account id "12345678901": want twelve digits`,
		`{"users":[{"name":"ada"}],"accounts":[{"id":"123456789012"},{"id":"123456789012"}]}`: "occurs twice",
		`{"users":[{"name":"ada"}],"accounts":[{"id":"123456789012","roles":[{"name":""}]}]}`: `role name ""`,
		`{"users":[{"name":"ada"}],"accounts":` +
			`[{"id":"123456789012","roles":[{"name":"R"},{"name":"R"}]}]}`: `role "R" occurs twice`,
		`{"users":[{"name":"ada"}],"accounts":` +
			`[{"id":"123456789012","roles":[{"name":"R","users":["bob"]}]}]}`: `no user "bob"`,
		`{"users":[{"name":"ada"}],"accounts":` +
			`[{"id":"123456789012","roles":[{"name":"R","duration":"-1h"}]}]}`: "duration is negative",
		`{"users":[{"name":"ada"}],"accounts":` +
			`[{"id":"123456789012","roles":[{"name":"R","duration":"an hour"}]}]}`: "invalid duration",
		`[`: "unexpected EOF",
	} {
		if _, err := ReadDirectory(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant …%s…", text, err, want)
		}
	}
}

func TestDirectoriesReadBack(t *testing.T) {
	t.Parallel()
	custom := &Directory{Users: []User{{Name: "ada", Password: "x"}, {Name: "bob"}},
		Accounts: []Account{{ID: "000000000001", Name: "a",
			Roles: []Role{{Name: "R", Users: []string{"bob"}, Duration: Duration(15 * time.Minute), Stale: true}}}}}
	for name, d := range map[string]*Directory{"default": DefaultDirectory(), "generated": GenerateDirectory(300, 6),
		"custom": custom} {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadDirectory(strings.NewReader(string(b)))
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s does not read back: %v", name, err)
		}
	}
	if n := len(GenerateDirectory(300, 6).Accounts); n != 300 {
		t.Errorf("%d accounts", n)
	}
}

func TestAssignments(t *testing.T) {
	t.Parallel()
	d := &Directory{Users: []User{{Name: "ada"}, {Name: "bob"}}, Accounts: []Account{
		{ID: "000000000001", Roles: []Role{{Name: "All"}, {Name: "Bob", Users: []string{"bob"}}}},
		{ID: "000000000002", Roles: []Role{{Name: "Bob", Users: []string{"bob"}}}},
		{ID: "000000000003"},
	}}
	for user, want := range map[string]int{"ada": 1, "bob": 2, "eve": 1} {
		if got := len(d.accountsOf(user)); got != want {
			t.Errorf("%s: %d accounts, want %d", user, got, want)
		}
	}
	if roles, ok := d.rolesOf("ada", "000000000001"); !ok || len(roles) != 1 || roles[0].Name != "All" {
		t.Errorf("ada's roles: %v", roles)
	}
	if _, ok := d.rolesOf("ada", "000000000002"); ok {
		t.Error("ada has a role in an account of bob's")
	}
}
