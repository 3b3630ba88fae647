package guest_test

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	session = regexp.MustCompile("(?s)```session\n(.*?)```")
	// made is "name = program(args)", or "name = other.method(args)".
	made = regexp.MustCompile(`^([a-z-]+) = ([a-z-]+)(?:\.([a-z]+))?\((.*)\)$`)
	// asked is "name.method(args) -> answer".
	asked = regexp.MustCompile(`^([a-z-]+)\.([a-z]+)\((.*)\) -> (.*)$`)
)

// TestSessions: what EXAMPLES.md shows happens, line by line, in C and in Go.
func TestSessions(t *testing.T) {
	t.Parallel()
	examples := readFile(t, guestDir+"/EXAMPLES.md")
	found := session.FindAllSubmatch(examples, -1)
	if len(found) < 5 {
		t.Fatalf("%d sessions", len(found))
	}
	for _, s := range styles(t) {
		if s.restart {
			continue
		}
		for _, m := range found {
			runSession(newWorld(t, s), string(m[1]))
		}
	}
}

func runSession(w *world, text string) {
	w.t.Helper()
	names := map[string]kref{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := asked.FindStringSubmatch(line); m != nil {
			w.expect(m[4], names[m[1]], m[2], values(w, m[3], names)...)
		} else if m := made.FindStringSubmatch(line); m != nil && m[3] == "" {
			names[m[1]] = w.root(m[2], values(w, m[4], names)...)
		} else if m != nil {
			names[m[1]] = w.reference(names[m[2]], m[3], values(w, m[4], names)...)
		} else {
			w.t.Fatalf("a line of a session: %q", line)
		}
	}
}

// values reads arguments as EXAMPLES.md writes them.
func values(w *world, text string, names map[string]kref) (vs []any) {
	w.t.Helper()
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ", ") {
		digits, isBytes := strings.CutPrefix(part, "0x")
		number, err := strconv.ParseUint(part, 10, 64)
		switch ref, known := names[part]; {
		case known:
			vs = append(vs, ref)
		case isBytes:
			b, err := hex.DecodeString(digits)
			w.fatal(err)
			vs = append(vs, b)
		case err == nil:
			vs = append(vs, number)
		default:
			s, err := strconv.Unquote(part)
			w.fatal(err)
			vs = append(vs, s)
		}
	}
	return vs
}
