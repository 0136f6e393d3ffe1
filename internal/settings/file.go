package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/plain"
)

// maxFile bounds what is read of a file. Settings are a few lines; deeply nested text of this size is still harmless.
const maxFile = 64 << 10

// maxDots bounds a dotted key. The time of the TOML library grows faster than the square of their number: a line of
// 2,000 takes a second.
const maxDots = 32

// deepKey returns the line of the first key with too many dots in it, 0 when there is none. Dots in strings and
// comments do not count.
func deepKey(data []byte) int {
	line, dots := 1, 0
	end := "" // of the string or the comment that the text is in
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch rest := data[i:]; {
		case end != "" && c == '\\' && end[0] == '"':
			i++
			if i < len(data) && data[i] == '\n' {
				line++
			}
			continue
		case end != "" && bytes.HasPrefix(rest, []byte(end)):
			i += len(end) - 1
			// They belong to the string.
			for n := 0; n < 2 && len(end) == 3 && i+1 < len(data) && data[i+1] == end[0]; n++ {
				i++
			}
			if end == "\n" {
				dots = 0
			}
			end = ""
		case end != "" && (c != '\n' || len(end) == 3):
		case c == '\n' || c == '=' || c == ',' || c == '{' || c == '[':
			dots, end = 0, "" // a string of one line that is not closed ends there too: the file is refused anyway
		case c == '#':
			end = "\n"
		case bytes.HasPrefix(rest, []byte(`"""`)), bytes.HasPrefix(rest, []byte("'''")):
			end = string(rest[:3])
			i += 2
		case c == '"' || c == '\'':
			end = string(c)
		case c == '.':
			if dots++; dots > maxDots {
				return line
			}
		}
		if c == '\n' {
			line++
		}
	}
	return 0
}

// maxUnknown is how many unknown keys are looked at to tell the first one in the file. A file that somebody else
// wrote may hold many thousands.
const maxUnknown = 20

// table is a table of a file whose keys are still to be understood.
type table struct {
	file   string
	meta   *toml.MetaData
	keys   map[string]toml.Primitive
	prefix string // of the keys in messages: "session.dev."
}

// open reads file. A nil table without an error is a file that is not there.
func open(file string) (*table, error) {
	if file == "" {
		return nil, nil
	}
	data, err := read(file)
	if data == nil || err != nil {
		return nil, err
	}
	return parse(file, data)
}

// parse reads the text of a file.
func parse(file string, data []byte) (*table, error) {
	if n := deepKey(data); n > 0 {
		return nil, fileFault(file, n, nil, "a key with more than %d dots", maxDots)
	}
	t := &table{file: file, keys: map[string]toml.Primitive{}}
	meta, err := toml.Decode(string(data), &t.keys)
	if err != nil {
		var p toml.ParseError
		if !errors.As(err, &p) {
			return nil, fileFault(file, 0, err, "%v", err)
		}
		return nil, fileFault(file, p.Position.Line, err, "%s", plain.Line(p.Message, 200))
	}
	t.meta = &meta
	return t, nil
}

// read returns the content of file, nil for one that is not there. A link to nothing is there: somebody meant a file.
func read(file string) ([]byte, error) {
	data, err := files.Read(file, maxFile)
	var other files.NotRegular
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(file); err == nil {
			return nil, fileFault(file, 0, nil, "is a link to a file that does not exist")
		}
		return nil, nil
	case errors.As(err, &other):
		return nil, fileFault(file, 0, nil, "%s", strings.TrimPrefix(other.Error(), "it "))
	case errors.Is(err, files.ErrTooLarge):
		return nil, fileFault(file, 0, nil, "is larger than %d KiB", maxFile>>10)
	case err != nil:
		return nil, fileFault(file, 0, err, "cannot be read: %v", cause(err))
	}
	return data, nil
}

// cause drops the operation and the path from an error of package os: the message names the file already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// fileFault is the error for what is wrong in a file; line 0 is the whole of it.
func fileFault(file string, line int, err error, format string, args ...any) *fault.Error {
	sep := ": "
	if line <= 0 {
		sep = " "
	}
	return &fault.Error{
		Kind: fault.Config, Msg: at(file, line) + sep + fmt.Sprintf(format, args...),
		Remedy: fault.Correct{File: file}, Err: err,
	}
}

// here asks the decoder where a value stands: a failing Unmarshaler is the one thing it gives a position to.
type here struct{}

var errHere = errors.New("here")

func (*here) UnmarshalTOML(any) error { return errHere }

// line returns the line of a key of the table, 0 when the decoder does not know. A table that a longer header only
// names ([session.dev.profiles]) has none of its own: that of the first key in it counts, by name, since to ask for a
// line is to go through the file.
func (t *table) line(key string) int {
	n := t.ownLine(key)
	for sub := t; n == 0; n = sub.ownLine(key) {
		next := &table{meta: t.meta}
		if t.meta.PrimitiveDecode(sub.keys[key], &next.keys) != nil || len(next.keys) == 0 {
			return 0
		}
		sub, key = next, sortedKeys(next.keys)[0]
	}
	return n
}

func (t *table) ownLine(key string) int {
	var p toml.ParseError
	if errors.As(t.meta.PrimitiveDecode(t.keys[key], &here{}), &p) {
		return p.Position.Line
	}
	return 0
}

// check refuses keys that are not known. tables are the known keys that hold a table ("profiles") or one a name, for
// the remedy.
func (t *table) check(known []string, tables ...string) error {
	var unknown []string
	for key := range t.keys {
		if !slices.Contains(known, key) && !slices.Contains(tables, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	key, first := unknown[0], t.line(unknown[0])
	for _, other := range unknown[1:min(len(unknown), maxUnknown)] { // to ask for a line is to go through the file
		if line := t.line(other); line < first {
			key, first = other, line
		}
	}
	err := fileFault(t.file, t.line(key), nil, "unknown key %s", shown(t.prefix+key))
	list := slices.Clone(known)
	for _, name := range tables {
		if name == "profiles" {
			list = append(list, "["+t.prefix+name+"]")
			continue
		}
		list = append(list, "["+name+".NAME]")
	}
	advice := "known keys: " + strings.Join(list, ", ")
	if near := nearest(key, append(slices.Clone(known), tables...)); near != "" {
		advice = "did you mean " + near + "? " + advice
	}
	err.Remedy = fault.Advice(advice)
	return err
}

// decode reads key, which must be of type T; takes says in a message what that is. A key that is missing is unset.
func decode[T any](t *table, key, takes string, valid func(T) bool) (Value[T], error) {
	raw, ok := t.keys[key]
	if !ok {
		return Value[T]{}, nil
	}
	var v T
	line := t.line(key)
	if err := t.meta.PrimitiveDecode(raw, &v); err != nil || !valid(v) {
		return Value[T]{}, &fault.Error{
			Kind: fault.Config, Msg: fmt.Sprintf("%s: %s takes %s", at(t.file, line), shown(t.prefix+key), takes),
			Remedy: fault.Correct{File: t.file, Line: line}, Err: err,
		}
	}
	return Value[T]{Value: v, Origin: t.file, Line: line}, nil
}

// tables reads key as a table of tables.
func (t *table) tables(key string) (map[string]*table, error) {
	raw, ok := t.keys[key]
	if !ok {
		return nil, nil
	}
	var byName map[string]toml.Primitive
	if err := t.meta.PrimitiveDecode(raw, &byName); err != nil || byName == nil { // nil: it is no table at all
		return nil, fileFault(t.file, t.line(key), err, "%s holds one table a name: [%s.NAME]", key, key)
	}
	all := map[string]*table{}
	holder := &table{file: t.file, meta: t.meta, keys: byName, prefix: key + "."}
	for name, raw := range byName {
		sub := &table{file: t.file, meta: t.meta, prefix: key + "." + name + "."}
		if err := t.meta.PrimitiveDecode(raw, &sub.keys); err != nil || sub.keys == nil {
			return nil, fileFault(t.file, holder.line(name), err, "%s takes a table: [%s]", shown(key+"."+name),
				shown(key+"."+name))
		}
		all[name] = sub
	}
	return all, nil
}

// nearest returns the known key that key is most likely a slip for, or "".
func nearest(key string, known []string) string {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	best, distance := "", len(key)/3+2 // one slip in a short word, more in a long one
	for _, k := range known {
		if d := edits(key, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance of a and b, in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
