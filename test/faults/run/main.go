// Command run runs classes of faults and tells what was tried.
//
//	run fuzz 3s FILE      gives every decoder foreign bytes, for so long each, and records it
//	run summary FILE      fails unless FILE records that every class was tried as CI must
//	run long RESULTS ...  tries as many as a long run does of all classes, or of those named,
//	                      and appends what came of it to RESULTS; before the classes may
//	                      stand -trials N, -seed N and -fuzztime D
//
// It is started in the module's root.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"vatwarehouse/test/faults"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "fuzz":
		return fuzzRecorded(ctx, args[1], args[2])
	case len(args) == 2 && args[0] == "summary":
		return summary(args[1])
	case len(args) >= 2 && args[0] == "long":
		return long(ctx, args[1], args[2:])
	}
	return errors.New("want fuzz TIME FILE, summary FILE, or long RESULTS")
}

// records reads a file of records. Of each class the last one counts.
func records(name string) (map[string]faults.Record, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]faults.Record{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var rec faults.Record
		if err := json.Unmarshal(lines.Bytes(), &rec); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all[rec.Class] = rec
	}
	return all, nil
}

// summary prints what was tried of each class, and fails if it was not enough.
func summary(name string) error {
	all, err := records(name)
	if err != nil {
		return err
	}
	passed, failed, skipped := 0, 0, 0
	for _, c := range faults.Classes {
		rec, ok := all[c.ID]
		says := fmt.Sprintf("%9d %-16s %6.1f s", rec.Trials, c.Unit, rec.Seconds)
		switch {
		case !ok:
			says = "WAS NOT TRIED"
			failed++
		case rec.Skipped != "" && !rec.Failed:
			says = "not tried on this machine: " + rec.Skipped
			skipped++
		case rec.Failed || rec.Trials < c.CI:
			says += fmt.Sprintf(", FAILED: %d are due", c.CI)
			failed++
		default:
			passed++
		}
		fmt.Printf("%-4s %-45s %s\n", c.ID, c.What, says)
	}
	fmt.Printf("classes: %d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 {
		return fmt.Errorf("%d of %d classes of faults failed or were not tried",
			failed, len(faults.Classes))
	}
	return nil
}

// long runs classes at their long counts, one after the other, and appends a section to
// the results.
func long(ctx context.Context, results string, args []string) error {
	flags := flag.NewFlagSet("long", flag.ContinueOnError)
	trials := flags.Int("trials", 0, "try so many of each class; 0 is its long count")
	seed := flags.Uint64("seed", 1, "draw faults with this seed")
	fuzzTime := flags.String("fuzztime", "5m", "fuzz each decoder for so long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "records")
	var text strings.Builder
	fmt.Fprintf(
		&text,
		"\n## %s\n\n| class | tried | seed | time | |\n|---|---|---|---|---|\n",
		machine(),
	)
	failures := 0
	for _, c := range faults.Classes {
		if flags.NArg() > 0 && !slices.Contains(flags.Args(), c.ID) {
			continue
		}
		fmt.Printf("%s: %s\n", c.ID, c.What)
		err := one(ctx, c, file, *trials, *seed, *fuzzTime)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		text.WriteString(row(c, file, err))
		if err != nil {
			failures++
			fmt.Println(err)
		}
	}
	if err := appendTo(results, text.String()); err != nil {
		return err
	}
	if failures > 0 {
		return fmt.Errorf("%d classes failed", failures)
	}
	return nil
}

// one runs one class.
func one(
	ctx context.Context, c faults.Class, file string, trials int, seed uint64, fuzzTime string,
) error {
	if c.Test == fuzzTest {
		return fuzzRecorded(ctx, fuzzTime, file)
	}
	args := []string{
		"test",
		"-count",
		"1",
		"-timeout",
		"0",
		"-run",
		"^" + c.Test + "$",
		".",
		"-args",
	}
	args = append(args, "-seed", strconv.FormatUint(seed, 10), "-long")
	if trials > 0 {
		args = append(args, "-trials", strconv.Itoa(trials))
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = c.Package
	cmd.Env = append(os.Environ(), faults.RecordVariable+"="+file)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", c.Test, err)
	}
	return nil
}

// row is a class's line of the results.
func row(c faults.Class, file string, failed error) string {
	all, err := records(file)
	rec, ok := all[c.ID]
	says := ""
	switch {
	case failed != nil:
		says = "**failed**"
	case err != nil || !ok:
		says = "**no record**"
	case rec.Skipped != "":
		says = "not tried: " + rec.Skipped
	}
	return fmt.Sprintf("| %s | %d %s | %d | %s | %s |\n", c.ID, rec.Trials, c.Unit, rec.Seed,
		time.Duration(rec.Seconds*float64(time.Second)).Round(time.Second), says)
}

// machine says what the results are of: no date, no name.
func machine() string {
	commit := "no commit"
	if out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output(); err == nil {
		commit = strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("%s, %s, %s/%s, %d processors", commit, runtime.Version(),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

func appendTo(name, text string) (err error) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteString(text)
	return err
}
