package main

import (
	"context"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

func (a *app) changeVerb() *cobra.Command {
	var o host.OptionChange
	var critical, quarantine bool
	c := &cobra.Command{
		Use:   "change VAT",
		Short: "Change the options of a vat",
		Long: `change changes options of a vat, by name or id, from its next delivery on: after how
much it is reaped, that is, asked what it dropped; whether the kernel stops when it fails; and
whether it is kept in quarantine, with what it failed at, when it fails. A vat in
quarantine stays there. Others of its options cannot be changed: its program relies on
them. It runs nothing. It is observable: it changes the activityhash.`,
		Example: `  swingsim change book.0 --reap-deliveries 50 --dir state
  swingsim change mint.0 --critical --quarantine=false --dir state`,
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.SortFlags = false
	f.Uint64Var(&o.ReapDeliveries, "reap-deliveries", 0, "reap it after `N` deliveries")
	f.Uint64Var(&o.ReapRefs, "reap-references", 0,
		"reap it after it was told of `N` references that others dropped")
	f.Uint64Var(&o.ReapFuel, "reap-fuel", 0, "reap it after its deliveries used `N` units of fuel")
	f.BoolVar(&critical, "critical", false, "the kernel stops when it fails")
	f.BoolVar(&quarantine, "quarantine", false, "it is kept in quarantine when it fails")
	return a.verb(c, func(ctx context.Context, args []string) error {
		if f.Changed("critical") {
			o.Critical = &critical
		}
		if f.Changed("quarantine") {
			o.Quarantine = &quarantine
		}
		if f.Changed("reap-deliveries") && o.ReapDeliveries == 0 ||
			f.Changed("reap-references") && o.ReapRefs == 0 ||
			f.Changed("reap-fuel") && o.ReapFuel == 0 || o == (host.OptionChange{}) {
			return usagef("say what to change; numbers are from 1")
		}
		c, err := a.control(ctx, args[0], func(h *host.Host, v host.Vat) error {
			return h.ChangeOptions(ctx, v.ID, o)
		})
		if err != nil {
			return err
		}
		return a.printControlled(c, "%s", c.Options.words(host.VatOptions{}))
	})
}
