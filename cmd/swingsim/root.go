package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"vatwarehouse/internal/sim"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// app is one call of the program: the flags that all verbs share, and where its
// output goes.
type app struct {
	out, err io.Writer

	dir        string
	expect     string
	json       bool
	quiet      bool
	verbose    int
	logJSON    string
	cpuProfile string

	verbName string // which verb it is
	started  bool   // a verb has begun: what fails from now on is not the command line

	plant func(o *sim.TwinOptions) // of tests: makes twins differ
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// verbs are all there are, in the order in which help lists them.
func (a *app) verbs() []*cobra.Command {
	return []*cobra.Command{
		a.runVerb(), a.scenariosVerb(), a.lintVerb(), a.statusVerb(), a.vatsVerb(),
		a.transcriptVerb(), a.snapshotsVerb(), a.snapshotVerb(), a.replayVerb(), a.checkVerb(),
		a.sendVerb(), a.createVerb(),
		a.upgradeVerb(), a.terminateVerb(), a.quarantineVerb(), a.releaseVerb(), a.changeVerb(),
		a.promisesVerb(), a.objectsVerb(), a.clistVerb(), a.queueVerb(), a.whatIfVerb(),
		a.twinVerb(), a.simVerb(), a.shrinkVerb(), a.exploreVerb(), a.linkVerb(), a.exportVerb(),
		a.importVerb(),
		a.pruneVerb(), a.repairVerb(), a.adoptVerb(),
		a.policyVerb(), a.benchVerb(), a.reportVerb(), a.versionVerb(),
	}
}

// root makes the whole tree of commands, anew for every call, so that tests may run
// several at once.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "swingsim",
		Short: "Run scenarios of message-passing vats, and look into what they leave",
		Long: `swingsim runs scenarios of message-passing vats (isolated WASM programs that hold
references to one another), and looks into the directories that they leave.

The same scenario with the same seed gives the same activityhash, whatever is in
memory, however snapshots are taken, and however often it was stopped or killed.`,
		Example: `  swingsim run                            list the scenarios there are
  swingsim run exchange                   run one in memory
  swingsim run exchange --dir state       run one in a directory, or go on there
  swingsim send mint.0 audit --dir state  send a message, and see the answer
  swingsim check --dir state              verify every byte of the directory`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&a.dir, "dir", "", "the directory `DIR` of the kernel's state")
	f.StringVar(&a.expect, "expect", "",
		"refuse the directory unless it is, or was, at this activityhash (`HASH`)")
	f.BoolVar(&a.json, "json", false, "print JSON for programs, not tables for people")
	f.BoolVar(&a.quiet, "quiet", false, "print results and errors only: no progress, no advice")
	f.CountVarP(&a.verbose, "verbose", "v", "log blocks and ends of vats; twice (-vv): every crank")
	f.StringVar(&a.logJSON, "log-json", "", "write every crank to `FILE`, as lines of JSON")
	f.StringVar(&a.cpuProfile, "cpuprofile", "", "write a CPU profile to `FILE`, for go tool pprof")
	root.AddCommand(a.verbs()...)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(a.out)
	root.SetErr(a.err)
	return root
}

// verb finishes a command: its work begins with what all verbs share.
func (a *app) verb(
	c *cobra.Command, do func(ctx context.Context, args []string) error,
) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		a.started, a.verbName = true, c.Name()
		stop, err := a.startProfile()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		return do(c.Context(), args)
	}
	return c
}

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	a := &app{out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	return a.finish(c, err)
}

// finish tells of an error and returns the exit code that it means.
func (a *app) finish(c *cobra.Command, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailure
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case !a.started || errors.As(err, &usage):
		fmt.Fprintf(a.err, "swingsim: %v\n", err)
		fmt.Fprintf(a.err, "%s --help says what there is\n", c.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(a.err, "swingsim: %v\n", err)
	if next := a.advice(err); next != "" && !a.quiet {
		fmt.Fprintln(a.err, next)
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return exitFailure
}

// errReported is a failure of which the output says all there is to say.
var errReported = errors.New("reported")

// errInterrupted is an end that was asked for by a signal, and told of.
var errInterrupted = errors.New("interrupted")
