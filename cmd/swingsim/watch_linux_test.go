package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal returns the two ends of a terminal of 100 columns and 30 rows: the one that a
// person has, and the one that a program has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf(
			"SKIPPED: no terminal to be had: that --watch gives it back is NOT checked: %v",
			err,
		)
	}
	fd := int(person.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

// onTerminal runs a command with a terminal as its output, and returns what a person sees;
// shown is told of it all as it comes.
func onTerminal(
	t *testing.T,
	shown func(seen string, stop func()),
	args ...string,
) (string, error) {
	t.Helper()
	person, program := terminal(t)
	defer person.Close()
	cmd := swingsim(t, t.TempDir(), args...)
	cmd.Stdout, cmd.Stderr = program, program
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := program.Close(); err != nil {
		t.Fatal(err)
	}
	stop := func() { _ = cmd.Process.Signal(os.Interrupt) }
	var seen strings.Builder
	b := make([]byte, 4096)
	for {
		n, err := person.Read(b)
		seen.Write(b[:n])
		shown(seen.String(), stop)
		if err != nil { // EIO when the program has gone
			if err != io.EOF && !strings.Contains(err.Error(), "input/output") {
				t.Error(err)
			}
			break
		}
	}
	return seen.String(), cmd.Wait()
}

// screens are what lies between taking a terminal and giving it back, and what comes after.
var screens = regexp.MustCompile(
	`(?s)^\x1b\[\?1049h\x1b\[\?25l(\x1b\[H.*)\x1b\[\?25h\x1b\[\?1049l(.*)$`)

// TestWatch: a watched run takes the terminal, shows screens, gives it back, and prints
// what it prints otherwise; interrupted, it does the same.
func TestWatch(t *testing.T) {
	t.Parallel()
	run := []string{"run", "exchange", "--deliveries", "400", "--watch", "--block", "20"}
	seen, err := onTerminal(t, func(string, func()) {}, run...)
	parts := screens.FindStringSubmatch(seen)
	if err != nil || parts == nil {
		t.Fatalf("%v: %q", err, seen)
	}
	if !strings.Contains(parts[1], "exchange: 64 traders") ||
		!strings.Contains(parts[1], "deliveries of 400") ||
		strings.Contains(parts[1], "activityhash") {
		t.Errorf("shown: %q", parts[1])
	}
	if !strings.Contains(parts[2], "\nactivityhash ") || strings.Contains(parts[2], "\x1b") {
		t.Errorf("printed after it: %q", parts[2])
	}
	interrupted := false
	seen, err = onTerminal(t, func(seen string, stop func()) {
		if !interrupted && strings.Contains(seen, "\x1b[J") { // the first screen is there
			interrupted = true
			stop()
		}
	}, "run", "zipf", "--watch", "--deliveries", "1000000000")
	parts = screens.FindStringSubmatch(seen)
	if err == nil || parts == nil || !strings.Contains(parts[2], "interrupted; everything") {
		t.Errorf("%v: %q", err, seen)
	}
}
