package damage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"vatwarehouse/host"
	"vatwarehouse/vfs"
)

// The verdicts. All but silent are allowed.
const (
	unused  = "unused"  // the same trace, and nobody finds a fault: of no use
	told    = "told"    // the same trace; the Observer or Check is told
	unread  = "unread"  // the same activityhash; what cannot be read says so
	held    = "held"    // a vat cannot be run and says so; held, all else is the same
	refused = "refused" // Open says what and where, and leaves the bytes as they were
	silent  = "SILENT"  // anything else
)

var verdicts = []string{unused, told, unread, held, refused, silent}

// judgement is what became of one damaged directory.
type judgement struct {
	is  string
	err error // what was told first, or why it is silent
}

// wrap stands between a Host and the damaged directory: a planted fault, or nil.
type wrap func(files vfs.FS) vfs.FS

// case_ is one damaged directory while it is judged.
type case_ struct {
	g       *golden
	v       variant
	damaged tree
	changed []string
	wrap    wrap
}

// judge says what became of a damaged directory.
type judge func(v variant, damaged tree, w wrap) judgement

// glance opens a damaged directory and checks it: what is refused or told by name
// needs no run to be known. Anything else is judged.
func (g *golden) glance(v variant, damaged tree, w wrap) (j judgement) {
	defer recovered(&j)
	c := case_{g, v, damaged, v.all.changed(damaged), w}
	files, bare, err := c.files()
	if err != nil {
		return judgement{silent, err}
	}
	defer release(bare)
	var found []error
	h, err := g.tryOpen(files, &found)
	if err != nil {
		return c.refusal(err, bare)
	}
	_, err = h.Check(ctx, func(f host.Fault) { found = append(found, errors.New(f.String())) })
	if err = errors.Join(err, h.Close(ctx)); err != nil {
		return judgement{silent, fmt.Errorf("check: %w", err)}
	}
	if i := slices.IndexFunc(found, c.named); i >= 0 {
		return judgement{told, found[i]}
	}
	return c.judge()
}

// recovered makes a panic a judgement.
func recovered(j *judgement) {
	if r := recover(); r != nil {
		*j = judgement{silent, fmt.Errorf("panic: %v\n%s", r, debug.Stack())}
	}
}

// judge opens a damaged directory and goes on to the scenario's end.
func (g *golden) judge(v variant, damaged tree, w wrap) (j judgement) {
	defer recovered(&j)
	c := case_{g, v, damaged, v.all.changed(damaged), w}
	return c.judge()
}

// files makes a fresh copy of the damaged directory, and returns it as the Host
// is to see it, and as it is.
func (c *case_) files() (seen, bare vfs.FS, err error) {
	if bare, err = c.v.fresh(); err != nil {
		return nil, nil, err
	}
	if err := c.damaged.write(bare, c.v.all); err != nil {
		return nil, nil, err
	}
	if c.wrap != nil {
		return c.wrap(bare), bare, nil
	}
	return bare, bare, nil
}

// release gives up a copy, where that is to be done.
func release(files vfs.FS) {
	if c, ok := files.(io.Closer); ok {
		_ = c.Close() // the copy is of no more use
	}
}

// judge goes on with ever more vats held, until none fails.
func (c *case_) judge() judgement {
	var kept []string
	var first error
	for {
		failed, vat, j := c.attempt(kept, first)
		if vat == "" {
			return j
		}
		if first == nil {
			first = failed
		}
		if slices.Contains(kept, vat) {
			return judgement{silent, fmt.Errorf("vat %s fails though it is held: %w", vat, failed)}
		}
		kept = append(kept, vat)
	}
}

// attempt opens a fresh copy of the directory and goes on with some vats held. It
// returns the next vat that fails, or the verdict.
func (c *case_) attempt(kept []string, first error) (failed error, vat string, j judgement) {
	bad := func(format string, args ...any) (error, string, judgement) {
		return nil, "", judgement{silent, fmt.Errorf(format, args...)}
	}
	files, bare, err := c.files()
	if err != nil {
		return bad("%w", err)
	}
	defer release(bare)
	var faults []error
	h, err := c.g.tryOpen(files, &faults)
	if err != nil {
		return nil, "", c.refusal(err, bare)
	}
	defer h.Close(ctx)
	err = c.g.goOn(h, kept)
	var vatErr *host.VatError
	if errors.As(err, &vatErr) {
		if !c.named(err) && !strings.Contains(err.Error(), "position") {
			return bad("vat %s fails and does not say where: %w", vatErr.Vat, err)
		}
		return err, string(vatErr.Vat), j
	}
	if err != nil {
		return bad("the run ends with: %w", err)
	}
	got, err := take(h)
	if err != nil {
		return bad("take the trace: %w", err)
	}
	want, err := c.g.want(kept)
	if err != nil {
		return bad("%w", err)
	}
	if d := got.differs(want); d != "" {
		return bad("%s (faults told: %w, %v)", d, errors.Join(faults...), got.unread)
	}
	return nil, "", c.verdict(got.unread, first, faults)
}

// verdict says how a run that went on as it should was disturbed. What a run met,
// Check must have found beforehand.
func (c *case_) verdict(unreadable []error, first error, faults []error) judgement {
	found, err := c.check()
	if err != nil {
		return judgement{silent, fmt.Errorf("check: %w", err)}
	}
	switch {
	case first != nil && len(found) == 0:
		return judgement{silent, fmt.Errorf("check finds nothing, but: %w", first)}
	case first != nil:
		return judgement{held, first}
	case len(unreadable) > 0 && len(found) == 0:
		return judgement{silent, fmt.Errorf("check finds nothing, but: %w", unreadable[0])}
	case len(unreadable) > 0:
		return judgement{unread, unreadable[0]}
	case len(faults) > 0:
		return judgement{told, faults[0]}
	case len(found) > 0:
		return judgement{told, found[0]}
	}
	return judgement{is: unused}
}

// check opens a fresh copy of the directory and checks it.
func (c *case_) check() (found []error, err error) {
	files, bare, err := c.files()
	if err != nil {
		return nil, err
	}
	defer release(bare)
	h, err := c.g.tryOpen(files, &found)
	if err != nil {
		return nil, err
	}
	_, err = h.Check(ctx, func(f host.Fault) { found = append(found, errors.New(f.String())) })
	return found, errors.Join(err, h.Close(ctx))
}

// refusal looks at what Open says and leaves. It may make the lock file and bring
// a log that is whole into order, as it does where nothing is damaged.
func (c *case_) refusal(err error, bare vfs.FS) judgement {
	after, rerr := treeOf(bare)
	if rerr != nil {
		return judgement{silent, rerr}
	}
	for _, name := range c.damaged.changed(after) {
		b, ok := c.v.settled[name]
		if name != "lock" && (!ok || !bytes.Equal(after[name], b)) {
			return judgement{silent, fmt.Errorf("open changes %s and then says: %w", name, err)}
		}
	}
	if !errors.Is(err, host.ErrCorrupt) && !errors.Is(err, host.ErrFormat) {
		return judgement{silent, fmt.Errorf("an error of no kind: %w", err)}
	}
	if !c.named(err) {
		return judgement{silent, fmt.Errorf("open does not say where: %w", err)}
	}
	return judgement{refused, err}
}

// named reports whether an error names a file that was damaged.
func (c *case_) named(err error) bool {
	for _, name := range c.changed {
		base := path.Base(name)
		if strings.Contains(err.Error(), base[:min(len(base), 12)]) {
			return true
		}
	}
	return false
}
