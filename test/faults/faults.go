// Package faults has the table of the classes of faults that the tests inject, and
// counts what they try of each: a test that tries less than is due fails, and so
// does CI where a class was not tried at all.
//
// The counts of CI are those of go test ./...; with -short it is a part of them.
// -long tries as many as a long run does, -trials N as many as it says, and -seed
// draws others:
//
//	go test -timeout 0 ./test/crash -run 'TestCrashInRecovery$' -args -long -seed 7
//
// Each test appends one [Record] to the file that the environment variable
// FAULTS_RECORD names. Package run, beside this one, reads it.
package faults

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// Class is a class of faults, and the test that tries it.
type Class struct {
	ID   string
	What string // the fault
	Unit string // what is counted
	// Package is the test's, from the module's root; Test is its name.
	Package, Test string
	// CI and Long are how many are tried.
	CI, Long int
	// Needs is what a machine must have for it, beyond Linux and Go; "" is nothing.
	Needs Need
}

// Need is what a machine must have for a class.
type Need string

// What classes need.
const (
	// Root is to be root, and to be allowed to mount.
	Root Need = "root that may mount"
	// Disks is Root with /dev/fuse, loop devices and mkfs.ext4.
	Disks Need = "root, /dev/fuse, loop devices and mkfs.ext4"
)

// RecordVariable names the file that records are appended to.
const RecordVariable = "FAULTS_RECORD"

// Record is what one test has tried.
type Record struct {
	Class   string
	Trials  int
	Seed    uint64
	Seconds float64
	Failed  bool
	// Skipped is why nothing was tried, or "".
	Skipped string `json:",omitempty"`
}

var (
	long   = flag.Bool("long", false, "try as many faults as a long run does")
	trials = flag.Int("trials", 0, "try so many faults")
	seed   = flag.Uint64("seed", 1, "draw faults with this seed")
)

// Seed returns the seed that faults are drawn with.
func Seed() uint64 { return *seed }

// Scaled returns a count of what is in no class: less in short mode, more in a long run.
func Scaled(n int) int {
	switch {
	case *long:
		return 200 * n
	case testing.Short():
		return (n + 9) / 10
	}
	return n
}

// Run is one test's count.
type Run struct {
	// Due is how many are to be tried, Seed what they are drawn with.
	Due  int
	Seed uint64

	class Class
	t     testing.TB
	done  atomic.Int64
}

// shortPart is which part of CI's count a short run tries.
const shortPart = 20

// Begin counts what the test tries of a class. When the test ends it fails if that
// was less than is due, and is recorded.
func Begin(t testing.TB, id string) *Run {
	t.Helper()
	c, err := Find(id)
	if err != nil {
		t.Fatal(err)
	}
	if t.Name() != c.Test {
		t.Fatalf("class %s is tried by %s", id, c.Test)
	}
	r := &Run{Due: c.CI, Seed: *seed, class: c, t: t}
	switch {
	case *trials > 0:
		r.Due = *trials
	case *long:
		r.Due = c.Long
	case testing.Short():
		r.Due = max(1, c.CI/shortPart)
	}
	begun := time.Now()
	t.Cleanup(func() { r.end(time.Since(begun)) })
	return r
}

// Add counts n more that were tried.
func (r *Run) Add(n int) { r.done.Add(int64(n)) }

// Left returns how many are still to be tried.
func (r *Run) Left() int { return max(0, r.Due-int(r.done.Load())) }

// Skip ends the test, since the machine lacks what the class needs. It is recorded,
// and CI says so.
func (r *Run) Skip(why string) {
	r.t.Helper()
	if r.class.Needs == "" {
		r.t.Fatalf("class %s is never skipped: %s", r.class.ID, why)
	}
	r.t.Skipf("%s is not tried: %s; it needs %s", r.class.ID, why, r.class.Needs)
}

// end checks the count and records it.
func (r *Run) end(took time.Duration) {
	rec := Record{
		Class: r.class.ID, Trials: int(r.done.Load()), Seed: r.Seed, Seconds: took.Seconds(),
	}
	if r.t.Skipped() {
		rec.Skipped = fmt.Sprintf("it needs %s", r.class.Needs)
	} else if r.Left() > 0 {
		r.t.Errorf("%s: %d %s were tried, %d are due", rec.Class, rec.Trials, r.class.Unit, r.Due)
	}
	rec.Failed = r.t.Failed()
	r.t.Logf("%s: %d %s, seed %d", rec.Class, rec.Trials, r.class.Unit, rec.Seed)
	if err := rec.Append(os.Getenv(RecordVariable)); err != nil {
		r.t.Error(err)
	}
}

// Append writes the record at the end of a file; a file named "" is none.
func (rec Record) Append(name string) error {
	if name == "" {
		return nil
	}
	b, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("record class %s: %w", rec.Class, err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("record class %s: %w", rec.Class, err)
	}
	_, err = f.Write(append(b, '\n'))
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// Find returns the class of an id.
func Find(id string) (Class, error) {
	for _, c := range Classes {
		if c.ID == id {
			return c, nil
		}
	}
	return Class{}, fmt.Errorf("no class of faults %q", id)
}
