package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"vatwarehouse/devices"
	"vatwarehouse/host"
)

func (a *app) importVerb() *cobra.Command {
	var root, engine string
	c := &cobra.Command{
		Use:   "import IN",
		Short: "Make a directory of an export, or verify one vat's history",
		Long: `import takes what swingsim export wrote. Of a state it makes a new directory, which
goes on as the one that was exported; a feed brings a directory that was imported, and
has not run since, up to date. All of it is verified before the directory can be used;
what an interrupted import left is refused until it is imported again. The history of
one vat is run again, without --dir, and compared with what was recorded.

With --root only an export with that root is accepted: who got the root by a way that
he trusts can take the file from anybody.`,
		Example: `  swingsim export state.vw --dir state
  swingsim import state.vw --dir copy
  swingsim export mint.vw --dir state --vat mint.0
  swingsim import mint.vw`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&root, "root", "", "accept no other root than `HASH`, as export printed it")
	c.Flags().StringVar(&engine, "engine", "compiler",
		"the engine that will run the programs, by `WAY`: compiler or interpreter")
	return a.verb(c, func(ctx context.Context, args []string) (err error) {
		var runs string
		if err := fill(&runs, "engine", engine, "compiler", "interpreter"); err != nil {
			return err
		}
		o := &host.ImportOptions{Host: host.Options{
			Interpreter: runs == "interpreter", Devices: devices.All(),
		}}
		if root != "" {
			if o.Root, err = host.ParseRoot(root); err != nil {
				return usagef("--root: %v", err)
			}
		}
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		return a.takeIn(ctx, args[0], f, o)
	})
}

// takeIn imports a file, whatever it is of.
func (a *app) takeIn(
	ctx context.Context, name string, f *os.File, o *host.ImportOptions,
) error {
	of, err := host.Peek(f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fileError{fmt.Errorf("%s: %w", name, err)}
	}
	if (a.dir == "") != (of == ofVat) {
		if of == ofVat {
			return usagef("%s is the history of one vat: it is verified, without --dir, and "+
				"cannot go on without its kernel", name)
		}
		return usagef("it needs --dir DIRECTORY: a new one for a state, the one to be "+
			"brought up to date for a feed; %s is a %s", name, of)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	bar := a.newProgress(uint64(info.Size()), "bytes")
	o.Progress = func(bytes uint64) { bar.to(int64(bytes)) }
	r := exported{}
	switch of {
	case ofState:
		var x host.Imported
		x, err = host.Import(ctx, f, a.dir, o)
		r = exportedFrom(name, of, x)
	case ofFeed:
		r, err = a.apply(ctx, name, f, o)
	case ofVat:
		var v host.Verified
		v, err = host.VerifyVat(ctx, f, o)
		r = exportedFrom(name, of, v.Imported)
		r.Vat = string(v.Vat)
	}
	bar.end()
	if err != nil {
		return fileError{fmt.Errorf("import %s: %w", name, err)}
	}
	return a.printImported(&r)
}

// fileError is an export that could not be taken in.
type fileError struct{ error }

// Unwrap returns the failure itself.
func (e fileError) Unwrap() error { return e.error }

// apply brings a directory up to date with a feed.
func (a *app) apply(
	ctx context.Context, name string, f *os.File, o *host.ImportOptions,
) (r exported, err error) {
	err = a.with(ctx, &o.Host, func(h *host.Host) error {
		x, err := h.Apply(ctx, f, o.Root)
		r = exportedFrom(name, ofFeed, x)
		return err
	})
	return r, err
}

func (a *app) printImported(r *exported) error {
	if a.json {
		return a.printJSON(r)
	}
	done := "imported into " + a.dir
	switch r.Of {
	case ofFeed:
		done = "applied to " + a.dir
	case ofVat:
		done = "verified"
	}
	a.printExported(done, r)
	if r.Of == ofVat {
		fmt.Fprintf(a.out, "\nEverything was as recorded; %s compared.\n",
			count(r.Snapshots, "snapshot was", "snapshots were"))
	}
	return nil
}
