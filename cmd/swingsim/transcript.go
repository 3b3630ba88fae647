package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// pageEntries is how many entries are in memory at once.
const pageEntries = 500

func (a *app) transcriptVerb() *cobra.Command {
	var from, to uint64
	c := &cobra.Command{
		Use:   "transcript VAT",
		Short: "Print a vat's transcript: every delivery, with its syscalls and outcome",
		Long: `transcript prints the history of a vat, by name or id: a line for every delivery, and
under it one for every syscall that the vat made; with --json a line of JSON for
every delivery, in the shape of SwingSet's transcripts. It changes nothing.`,
		Example: `  swingsim transcript mint.0 --dir state
  swingsim transcript v3 --dir state --from 100 --to 110 --json`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().SortFlags = false
	c.Flags().Uint64Var(&from, "from", 0, "begin at position `N`")
	c.Flags().Uint64Var(&to, "to", 0, "end before position `N` (default: the end)")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if to > 0 && to < from {
			return usagef("--from %d is after --to %d", from, to)
		}
		return a.with(ctx, &host.Options{AnyMeaning: true}, func(h *host.Host) error {
			v, err := a.vat(h, args[0])
			if err != nil {
				return err
			}
			end := v.Span.End
			if to > 0 {
				end = min(end, to)
			}
			return a.printTranscript(ctx, h, v, from, end)
		})
	})
}

// printTranscript prints the entries [from, end), a page of them in memory at a
// time: a transcript may be longer than memory is large.
func (a *app) printTranscript(
	ctx context.Context, h *host.Host, v host.Vat, from, end uint64,
) error {
	for ; from < end; from += pageEntries {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := h.Transcript(v.ID, from, min(end, from+pageEntries))
		for _, e := range entries {
			if a.json {
				line, err := e.JSON()
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s\n", line)
				continue
			}
			delivery, syscalls := e.Describe()
			fmt.Fprintf(a.out, "%d  %s\n", e.Position, plain(delivery+"  => "+e.Ending()))
			for _, s := range syscalls {
				fmt.Fprintf(a.out, "      %s\n", plain(s))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
