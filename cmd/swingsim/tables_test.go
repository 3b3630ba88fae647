package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commandMark begins a line of a document that says by which command the table under it
// was made.
const commandMark = "<!-- swingsim "

// TestTablesOfDocuments: each table that a document says a command makes is what the
// command prints, from the files that are kept in bench; and the page about trade-offs has
// no other tables. With -rewrite they are made anew.
func TestTablesOfDocuments(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, n := withTables(t, path, string(b))
		made += n
		switch {
		case text == string(b):
		case *rewrite:
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s has other tables than its commands print: "+
				"go test ./cmd/swingsim -run TestTablesOfDocuments -rewrite", path)
		}
	}
	if made < 10 {
		t.Errorf("%d tables", made)
	}
}

// withTables returns a document with its tables as their commands print them, and how many
// there are.
func withTables(t *testing.T, path, text string) (made string, n int) {
	t.Helper()
	var out strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i])
		command, isCommand := strings.CutPrefix(lines[i], commandMark)
		if !isCommand {
			if strings.HasPrefix(lines[i], "|") && filepath.Base(path) == "tradeoffs.md" {
				t.Errorf("%s: no command makes %q", path, lines[i])
			}
			continue
		}
		command, _, _ = strings.Cut(command, "-->")
		cmd := swingsim(t, "../..", quoted(command)...)
		table, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %s: %v", path, command, err)
		}
		n++
		out.Write(table)
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|") {
			i++
		}
	}
	return out.String(), n
}

// TestTablesSeeAnotherFigure: a figure that is not what the command prints is found.
func TestTablesSeeAnotherFigure(t *testing.T) {
	const path = "../../docs/tradeoffs.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	at := strings.Index(text, commandMark)
	cell := at + strings.Index(text[at:], "---|\n") + len("---|\n| 2 | ")
	planted := text[:cell] + "9" + text[cell:]
	if again, _ := withTables(t, path, planted); again != text {
		t.Error("the figure stays")
	}
}
