package emulator

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync"
	"time"
)

// Directory is who may sign in and what they may use. It is read, never written, by a Server; to change one while
// requests are served, set another in Change.
type Directory struct {
	Users    []User    `json:"users"`
	Accounts []Account `json:"accounts"`
}

// User is a person of the identity provider.
type User struct {
	Name     string `json:"name"`               // what is typed into the sign-in form, and the role session's name
	Email    string `json:"email,omitempty"`    // not used by the service's answers
	Password string `json:"password,omitempty"` // "" = any password does
}

// Account is an AWS account.
type Account struct {
	ID    string `json:"id"` // twelve digits
	Name  string `json:"name"`
	Email string `json:"email,omitempty"` // "" is sent as null
	Roles []Role `json:"roles"`
}

// Role is a permission set in an account.
type Role struct {
	Name  string   `json:"name"`
	Users []string `json:"users,omitempty"` // who is assigned; empty = everybody
	// Duration is how long its credentials live, "1h30m" in JSON; 0 means one hour.
	Duration Duration `json:"duration,omitempty"`
	// Stale roles are listed and yet refused with "No access", as after an assignment was taken back.
	Stale bool `json:"stale,omitempty"`
}

// Duration is a time.Duration written as text in JSON ("90s", "1h30m").
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// DefaultDirectory returns one person, ada, with three accounts and a few roles.
func DefaultDirectory() *Directory {
	return &Directory{
		Users: []User{{Name: "ada", Email: "ada@example.com"}},
		Accounts: []Account{
			{ID: "111122223333", Name: "production", Email: "aws-production@example.com",
				Roles: []Role{{Name: "ReadOnly"}}},
			{ID: "444455556666", Name: "staging", Email: "aws-staging@example.com", Roles: []Role{{Name: "Developer"},
				{Name: "ReadOnly"}}},
			{ID: "012345678901", Name: "sandbox", Roles: []Role{{Name: "Administrator"}, {Name: "Developer"}}},
		},
	}
}

// GenerateDirectory returns one person, ada, with the given number of accounts and as many roles in each. The same
// numbers give the same directory.
func GenerateDirectory(accounts, roles int) *Directory {
	d := &Directory{Users: []User{{Name: "ada", Email: "ada@example.com"}}, Accounts: []Account{}}
	teams := []string{"payments", "search", "identity", "media", "billing", "ledger", "fleet", "atlas"}
	stages := []string{"dev", "test", "staging", "prod"}
	names := []string{"Administrator", "Developer", "ReadOnly", "Billing"}
	for i := range accounts {
		a := Account{
			ID:   fmt.Sprintf("%012d", 100000000007+int64(i)*7919),
			Name: fmt.Sprintf("%s-%s-%03d", teams[i%len(teams)], stages[i/len(teams)%len(stages)], i),
		}
		a.Email = "aws+" + a.Name + "@example.com"
		for j := range roles {
			r := Role{Name: fmt.Sprintf("Role%03d", j)}
			if j < len(names) {
				r.Name = names[j]
			}
			a.Roles = append(a.Roles, r)
		}
		d.Accounts = append(d.Accounts, a)
	}
	return d
}

// ReadDirectory reads a Directory as JSON (see docs/emulator.md) and checks it: unknown members, account numbers that
// are not twelve digits, names that occur twice or not at all, and role users that are not in Users are errors.
func ReadDirectory(r io.Reader) (*Directory, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var d Directory
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("directory: more than one JSON value")
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	return &d, nil
}

// Compiled when first used: most runs of a program that imports this package may not need them.
var (
	accountID = compileOnce(`^[0-9]{12}$`)
	roleName  = compileOnce(`^[\w+=,.@-]{1,32}$`) // CreatePermissionSet, sso-admin API reference
	userName  = compileOnce(`^[\w+=,.@-]{2,64}$`) // RoleSessionName, STS API reference
)

func compileOnce(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

func (d *Directory) check() error {
	if len(d.Users) == 0 {
		return errors.New("no users")
	}
	users := map[string]bool{}
	for _, u := range d.Users {
		if !userName().MatchString(u.Name) {
			return fmt.Errorf("user name %q: want 2 to 64 of A-Z a-z 0-9 _ + = , . @ -", u.Name)
		}
		if users[u.Name] {
			return fmt.Errorf("user %q occurs twice", u.Name)
		}
		users[u.Name] = true
	}
	accounts := map[string]bool{}
	for _, a := range d.Accounts {
		if !accountID().MatchString(a.ID) {
			return fmt.Errorf("account id %q: want twelve digits", a.ID)
		}
		if accounts[a.ID] {
			return fmt.Errorf("account %q occurs twice", a.ID)
		}
		accounts[a.ID] = true
		roles := map[string]bool{}
		for _, r := range a.Roles {
			if !roleName().MatchString(r.Name) {
				return fmt.Errorf("account %q: role name %q: want 1 to 32 of A-Z a-z 0-9 _ + = , . @ -", a.ID, r.Name)
			}
			if roles[r.Name] {
				return fmt.Errorf("account %q: role %q occurs twice", a.ID, r.Name)
			}
			roles[r.Name] = true
			if r.Duration < 0 {
				return fmt.Errorf("account %q: role %q: the duration is negative", a.ID, r.Name)
			}
			for _, u := range r.Users {
				if !users[u] {
					return fmt.Errorf("account %q: role %q: no user %q", a.ID, r.Name, u)
				}
			}
		}
	}
	return nil
}

// first is the name of the first person, or "" in an empty directory.
func (d *Directory) first() string {
	if len(d.Users) == 0 {
		return ""
	}
	return d.Users[0].Name
}

func (d *Directory) user(name string) (User, bool) {
	i := slices.IndexFunc(d.Users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return d.Users[i], true
}

// accountsOf returns the accounts in which user has a role, in no useful order (but the same one each time).
func (d *Directory) accountsOf(user string) []Account {
	var mine []Account
	for _, a := range d.Accounts {
		if slices.ContainsFunc(a.Roles, func(r Role) bool { return r.assigned(user) }) {
			mine = append(mine, a)
		}
	}
	shuffle(mine, func(a Account) string { return a.ID })
	return mine
}

// rolesOf returns user's roles in the account, in no useful order, and whether there is any.
func (d *Directory) rolesOf(user, account string) ([]Role, bool) {
	var mine []Role
	for _, a := range d.Accounts {
		if a.ID != account {
			continue
		}
		for _, r := range a.Roles {
			if r.assigned(user) {
				mine = append(mine, r)
			}
		}
	}
	shuffle(mine, func(r Role) string { return account + r.Name })
	return mine, len(mine) > 0
}

func (r Role) assigned(user string) bool { return len(r.Users) == 0 || slices.Contains(r.Users, user) }

// shuffle sorts by a hash of the key: an order that looks random and stays the same from page to page.
func shuffle[T any](list []T, key func(T) string) {
	type item struct {
		hash [sha256.Size]byte
		v    T
	}
	items := make([]item, len(list))
	for i, v := range list {
		items[i] = item{sha256.Sum256([]byte(key(v))), v}
	}
	slices.SortStableFunc(items, func(a, b item) int { return slices.Compare(a.hash[:], b.hash[:]) })
	for i := range items {
		list[i] = items[i].v
	}
}
