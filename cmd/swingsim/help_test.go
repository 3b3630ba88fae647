package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// commandsOf lists the words of every command, itself included.
func commandsOf(c *cobra.Command) (all [][]string) {
	if c.Hidden || c.Name() == "completion" || c.Name() == "help" {
		return nil
	}
	all = append(all, strings.Fields(c.CommandPath())[1:])
	for _, sub := range c.Commands() {
		all = append(all, commandsOf(sub)...)
	}
	return all
}

// TestHelp: the help of every verb is what its golden file says, goes to the
// standard output, fits a terminal, has a sentence, and for all but the smallest an
// example; no golden file is left of a verb that is gone. Run with -rewrite after
// a change, and read the difference.
func TestHelp(t *testing.T) {
	t.Parallel()
	const columns = 120
	a := &app{out: os.Stdout, err: os.Stderr}
	known := map[string]bool{}
	for _, words := range commandsOf(a.root()) {
		name := filepath.Join("testdata", "help", strings.Join(append([]string{"swingsim"}, words...), "-")+".txt")
		known[name] = true
		code, out, errs := output(t, append(words, "--help")...)
		if code != exitOK || errs != "" {
			t.Errorf("%v --help: code %d, %s", words, code, errs)
		}
		if *rewrite {
			if err := os.WriteFile(name, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil || out != string(want) {
			t.Errorf("%v --help is not %s (%v); it is now\n%s", words, name, err, out)
		}
		for line := range strings.Lines(out) {
			if len([]rune(line)) > columns {
				t.Errorf("%v --help: a line of %d columns: %s", words, len([]rune(line)), line)
			}
		}
		if !strings.Contains(out, "Usage:") || len(words) < 2 && !strings.Contains(out, "Examples:") {
			t.Errorf("%v --help: no usage, or no example", words)
		}
	}
	files, err := filepath.Glob("testdata/help/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, f := range files {
		if !known[f] {
			t.Errorf("%s is of no verb", f)
		}
	}
}
