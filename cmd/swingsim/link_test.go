package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// linked is a directory that swingsim link serves, in a process of its own.
type linked struct {
	*testing.T
	dir     string
	cmd     *exec.Cmd
	address string
}

func (l *linked) start() {
	l.Helper()
	l.cmd = swingsim(l.T, l.dir, "link", "--dir", "st", "--name", "bob", "--listen", "127.0.0.1:0",
		"--peer", "alice", "--give", "alice:1=counter.0")
	errs, err := l.cmd.StderrPipe()
	if err == nil {
		err = l.cmd.Start()
	}
	if err != nil {
		l.Fatal(err)
	}
	line, _, err := bufio.NewReader(errs).ReadLine()
	address, ok := strings.CutPrefix(string(line), "swingsim: listening at ")
	if err != nil || !ok {
		l.Fatalf("it says %q (%v)", line, err)
	}
	l.address = address
}

// TestLink: messages pass between two directories, whichever is stopped or killed; what
// was sent while there was no connection is not lost; the directories stay good.
func TestLink(t *testing.T) {
	t.Parallel()
	alice := directory(t, "counter", "--deliveries", "30")
	b := &linked{T: t, dir: t.TempDir()}
	if code, _, errs := output(t, "run", "counter", "--deliveries", "30", "--quiet",
		"--dir", filepath.Join(b.dir, "st")); code != exitOK {
		t.Fatal(errs)
	}
	var before float64
	for round := range 3 {
		b.start()
		code, out, errs := output(t, "link", "--dir", alice, "--name", "alice", "--dial", "bob="+b.address,
			"--send", "bob:1 incr 5", "--send", "bob:1 nothing", "--json")
		var got []answered
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK || len(got) != 2 {
			t.Fatalf("code %d: %s %s (%v)", code, out, errs, err)
		}
		var count float64
		if _, err := fmt.Sscanf(got[0].Answer, "[%g]", &count); err != nil || got[0].State != "fulfilled" {
			t.Errorf("%+v: %v", got[0], err)
		}
		if round > 0 && count != before+5 {
			t.Errorf("the counter is at %v, it was at %v", count, before)
		}
		if got[1].Target != "bob:1" || got[1].Answer != `["no such method"]` {
			t.Errorf("%+v", got[1])
		}
		before = count
		if round == 1 {
			if err := b.cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		} else if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := b.cmd.Wait(); (err != nil) != (round == 1) {
			t.Errorf("round %d: it ended with %v", round, err)
		}
	}
	for _, dir := range []string{alice, filepath.Join(b.dir, "st")} {
		for _, args := range [][]string{
			{"check", "--dir", dir}, {"status", "--dir", dir},
			{"export", dir + ".export", "--dir", dir}, {"import", dir + ".export", "--dir", dir + ".copy"},
			{"vats", "--dir", dir + ".copy"},
		} {
			if code, out, errs := output(t, args...); code != exitOK {
				t.Errorf("%v: %s %s", args, out, errs)
			}
		}
	}
}

// TestLinkUsage: a command line that makes no sense says what would.
func TestLinkUsage(t *testing.T) {
	t.Parallel()
	dir := directory(t, "counter", "--deliveries", "30")
	for args, want := range map[string]string{
		"":                                     "it needs --name NAME, and --listen ADDRESS or --dial PEER=ADDRESS",
		"--name a --dial b":                    `--dial "b": want PEER=ADDRESS`,
		"--name a --dial b=x --dial b=y":       "each peer once",
		"--name a --dial b=x --give c=d":       `--give "c=d": want PEER:INDEX=VAT`,
		"--name a --dial b=x --give c:1":       "want PEER:INDEX=VAT",
		"--name a --dial b=x --send b:1":       "want TARGET METHOD and arguments",
		"--name a --dial b=x --give b:1=x":     `there is no vat "x"`,
		"--name a --listen 127.0.0.1:x":        "unknown port",
		"--name a --dial b=x --give b:1000=v1": `want addEgress(remote, index, object)`,
		"--name a --dial b.c=x":                `the mailbox refuses that name`,
	} {
		code, _, errs := output(t, append([]string{"link", "--dir", dir}, strings.Fields(args)...)...)
		if code == exitOK || !strings.Contains(errs, want) {
			t.Errorf("link %s: code %d: %s", args, code, errs)
		}
	}
	if code, _, errs := output(t, "link", "--dir", dir, "--name", "a", "--dial", "b=x", "--send", "b METHOD"); code == exitOK ||
		!strings.Contains(errs, "want PEER:INDEX METHOD and arguments") {
		t.Errorf("code %d: %s", code, errs)
	}
}
