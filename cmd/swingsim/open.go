package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
)

// with opens the directory that exists and hands it to do.
func (a *app) with(
	ctx context.Context, o *host.Options, do func(h *host.Host) error,
) (err error) {
	if a.dir == "" {
		return usagef("it needs --dir DIRECTORY: one that swingsim run made")
	}
	o.Existing = true
	return a.opened(ctx, o, do)
}

// opened opens the directory, or memory, hands it to do, and closes it. The log
// and the faults that were dealt with are told of on the way.
func (a *app) opened(
	ctx context.Context, o *host.Options, do func(h *host.Host) error,
) (err error) {
	logger, stop, err := a.startLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if o.Expect, err = a.expected(); err != nil {
		return err
	}
	o.Logger = logger
	o.Devices = devices.All()
	o.Observer.Fault = func(fault error) {
		if !a.quiet {
			fmt.Fprintf(a.err, "swingsim: warning: %v\n", fault)
		}
	}
	h, err := openPatiently(ctx, a.dir, o)
	if errors.Is(err, host.ErrNotFound) {
		return noDirectoryError{err}
	}
	if err != nil {
		return err
	}
	err = do(h)
	if _, cannot := h.Activityhash(); errors.Is(cannot, host.ErrPoisoned) {
		err = poisonedError{err}
	}
	// What is to be kept is kept even if ctx is done. A failure of Close after
	// another one is the same one told again.
	if closing := h.Close(context.WithoutCancel(ctx)); err == nil {
		err = closing
	}
	return err
}

// expected reads the activityhash that the directory must have had.
func (a *app) expected() (hash swing.Hash, err error) {
	if a.expect != "" {
		if hash, err = swing.ParseHash(a.expect); err != nil {
			err = usagef("--expect %s: want an activityhash, 64 hex digits", a.expect)
		}
	}
	return hash, err
}

// noDirectoryError is a directory that is not there, or holds nothing yet.
type noDirectoryError struct{ error }

// poisonedError is a failed write, after which the host cannot go on.
type poisonedError struct{ error }

// Unwrap returns the failure itself.
func (e poisonedError) Unwrap() error { return e.error }

// A process that was killed can hold its lock for a moment longer, while the
// system takes its memory apart.
const (
	lockPatience = 2 * time.Second
	lockPause    = 50 * time.Millisecond
)

// openPatiently opens the directory, and tries again while another holds the lock.
func openPatiently(ctx context.Context, dir string, o *host.Options) (*host.Host, error) {
	for until := time.Now().Add(lockPatience); ; time.Sleep(lockPause) {
		h, err := host.Open(ctx, dir, o)
		if !errors.Is(err, host.ErrInUse) || time.Now().After(until) || ctx.Err() != nil {
			return h, err
		}
	}
}

// vat finds a vat by name or id.
func (a *app) vat(h *host.Host, name string) (host.Vat, error) {
	v, err := h.Vat(name)
	if errors.Is(err, host.ErrNotFound) {
		return v, &noVatError{name, a.dir}
	}
	return v, err
}

// noVatError is a name that names no vat.
type noVatError struct{ name, dir string }

// Error says so, and how to find the names there are.
func (e *noVatError) Error() string {
	return fmt.Sprintf("there is no vat %q: give a name or an id, as "+
		"swingsim vats --dir %s lists them", e.name, e.dir)
}

// advice returns what a person can do about an error, or "".
func (a *app) advice(err error) string {
	var vat *host.VatError
	var name *sim.NameError
	var incomplete *host.IncompleteError
	switch {
	case errors.As(err, &incomplete) && !errors.As(err, new(fileError)):
		return "nothing was written: give another --mode; debug takes what there is"
	case errors.Is(err, host.ErrUnfinished):
		return "swingsim import IN --dir " + a.dir + " makes it anew"
	case errors.As(err, new(fileError)):
		return a.importAdvice(err)
	case errors.As(err, &vat):
		return a.vatAdvice(vat, errors.Is(err, host.ErrCorrupt))
	case errors.As(err, &name):
		return fmt.Sprintf("swingsim vats --dir %s lists the vats", a.dir)
	case errors.Is(err, host.ErrInUse):
		return "another swingsim has it open: wait for it to end, or stop it"
	case errors.Is(err, host.ErrNotPrivate):
		return fmt.Sprintf("see what is in it and who wrote it; then: chmod -R go-w %s", a.dir)
	case errors.Is(err, host.ErrFormat):
		return "it was left as it is: give another --dir"
	case errors.Is(err, host.ErrOptions), errors.Is(err, sim.ErrOther):
		return fmt.Sprintf("it was left as it is: swingsim status --dir %s says what made it; "+
			"give another --dir, or the scenario and seed that made it", a.dir)
	case errors.Is(err, host.ErrCorrupt):
		return fmt.Sprintf("swingsim check --dir %s looks for more; what is damaged comes back "+
			"only from a copy of the directory", a.dir)
	case errors.As(err, new(poisonedError)):
		return "the directory has the state of the last block that was written: " +
			"see to the cause (a full disk?) and run it again"
	case errors.As(err, new(noDirectoryError)):
		return "swingsim run SCENARIO --dir " + a.dir + " makes it"
	}
	return ""
}

// importAdvice says what to do about an export that was not taken in.
func (a *app) importAdvice(err error) string {
	switch {
	case errors.Is(err, host.ErrInUse):
		return "another swingsim has the directory open: wait for it to end, or stop it"
	case errors.As(err, new(noDirectoryError)):
		return "a feed goes to a directory that was imported before: import its base first"
	case errors.Is(err, host.ErrRefused):
		return ""
	}
	return "nothing was taken in: export it anew, with swingsim of this version"
}

// vatAdvice says how to go on after a vat that cannot be run.
func (a *app) vatAdvice(vat *host.VatError, damaged bool) string {
	without := fmt.Sprintf("go on without the vat: the same command with --hold %s", vat.Vat)
	if a.verbName != "" && a.verbName != "run" {
		without = fmt.Sprintf("go on without the vat: swingsim quarantine %s --dir %s",
			vat.Vat, a.dir)
	}
	switch {
	case a.dir == "":
		return without
	case damaged:
		return fmt.Sprintf("everything before is kept. swingsim check --dir %s says what is "+
			"damaged; or %s", a.dir, without)
	}
	return "everything before is kept. Run it again once the cause is gone, or " + without
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// fill sets an option that is a word, whatever its type is called.
func fill[T ~string](to *T, flag, word string, known ...T) error {
	if !slices.Contains(known, T(word)) {
		return usagef("--%s %q: want %s", flag, word, strings.Join(texts(known), " or "))
	}
	*to = T(word)
	return nil
}
