package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/link"
	"vatwarehouse/swing"
)

// linkFlags are the flags of link.
type linkFlags struct {
	name, listen            string
	peers, dial, give, send []string
}

func (a *app) linkVerb() *cobra.Command {
	var l linkFlags
	c := &cobra.Command{
		Use:   "link",
		Short: "Link a directory's kernel to those of other directories",
		Long: `link has the vats of a directory and those of other ones send each other messages,
over TCP, until Ctrl-C; or with --send, until those messages are answered
(docs/links.md).

Each side has a --name, and knows the other by its name: one of the two --listens, and
the other one dials it. What a side --gives, the other can send to as PEER:INDEX.
Messages that were not delivered yet are kept, and go on when there is a connection:
with either side stopped or killed at any time, each arrives once.

A directory that is not there is made, with nothing in it but what links need.

Nothing here says who the other side is, or hides what is said: link what is yours, on
a network that is.`,
		Example: `  swingsim link --dir state --name a --peer b --give b:1=mint.0 --listen :4100
  swingsim link --dir other --name b --dial a=127.0.0.1:4100 --send 'a:1 audit'`,
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&l.name, "name", "", "the `NAME` that peers know this directory by")
	f.StringVar(&l.listen, "listen", "", "take connections at an `ADDRESS`, as 127.0.0.1:4100")
	f.StringArrayVar(&l.peers, "peer", nil, "a `PEER` that connects to this side (repeatable)")
	f.StringArrayVar(&l.dial, "dial", nil,
		"keep a connection with a peer, `PEER=ADDRESS` (repeatable)")
	f.StringArrayVar(&l.give, "give", nil,
		"let a peer have a vat or object, `PEER:INDEX=VAT` (repeatable)")
	f.StringArrayVar(&l.send, "send", nil,
		"send `'PEER:INDEX METHOD ARG…'` and show the answer (repeatable)")
	return a.verb(c, func(ctx context.Context, _ []string) error { return a.link(ctx, &l) })
}

// given is an index of a peer: of what that gives, or is given.
type given struct {
	peer  string
	index uint64
	vat   string
}

// readGiven reads "PEER:INDEX".
func readGiven(text string) (g given, ok bool) {
	peer, index, found := strings.Cut(text, ":")
	n, err := strconv.ParseUint(index, 10, 64)
	return given{peer: peer, index: n}, found && err == nil && peer != ""
}

// linkPlan is what the flags ask for.
type linkPlan struct {
	peers []string          // all of them
	dial  map[string]string // addresses, of some
	give  []given
	calls []sim.Call // to PEER:INDEX
}

func (l *linkFlags) plan() (p linkPlan, err error) {
	p.peers, p.dial = append(p.peers, l.peers...), map[string]string{}
	if l.name == "" || l.listen == "" && len(l.dial) == 0 {
		return p, usagef("it needs --name NAME, and --listen ADDRESS or --dial PEER=ADDRESS")
	}
	for _, text := range l.dial {
		peer, address, ok := strings.Cut(text, "=")
		if !ok || peer == "" || p.dial[peer] != "" {
			return p, usagef("--dial %q: want PEER=ADDRESS, each peer once", text)
		}
		p.peers, p.dial[peer] = append(p.peers, peer), address
	}
	for _, text := range l.give {
		what, vat, _ := strings.Cut(text, "=")
		g, ok := readGiven(what)
		if !ok || vat == "" {
			return p, usagef("--give %q: want PEER:INDEX=VAT", text)
		}
		g.vat = vat
		p.give = append(p.give, g)
	}
	for _, text := range l.send {
		call, err := sim.ReadCall(text)
		if err != nil {
			return p, usagef("--send %q: %v", text, err)
		}
		if _, ok := readGiven(call.Target); !ok {
			return p, usagef("--send %q: want PEER:INDEX METHOD and arguments", text)
		}
		p.calls = append(p.calls, call)
	}
	return p, nil
}

// link opens the directory, sets up what is asked for, and serves its links.
func (a *app) link(ctx context.Context, l *linkFlags) error {
	p, err := l.plan()
	if err != nil {
		return err
	}
	answered := make(chan struct{}, 1) // an output came: look again
	o := &host.Options{}
	o.Observer.Output = func(host.Output) {
		select {
		case answered <- struct{}{}:
		default:
		}
	}
	var answers []sim.Answer
	if a.dir == "" {
		return usagef("it needs --dir DIRECTORY")
	}
	err = a.opened(ctx, o, func(h *host.Host) error {
		linked, err := p.setUp(ctx, h)
		if err != nil {
			return err
		}
		if answers, err = p.sendAll(ctx, linked); err != nil {
			return err
		}
		run, stop := context.WithCancel(ctx)
		defer stop()
		end := link.New(linked.Mailbox, l.name, &link.Options{Logger: o.Logger})
		serving, err := a.serveLinks(run, end, l.listen, p.dial)
		if err != nil {
			return err
		}
		driven := make(chan error, 1)
		go func() { driven <- end.Drive(run, host.Policy{}); stop() }()
		err = awaitAll(run, h, answers, answered)
		stop()
		return errors.Join(err, serving(), quietly(<-driven))
	})
	if err == nil {
		err = a.printAnswers(p.calls, answers)
	}
	return err
}

// quietly returns an error unless it says only that all was to end.
func quietly(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// setUp makes the peers known, and gives them what they are to have.
func (p *linkPlan) setUp(ctx context.Context, h *host.Host) (l sim.Linked, err error) {
	if l, err = sim.Link(ctx, h); err != nil {
		return l, err
	}
	for _, peer := range p.peers {
		if err := l.Meet(ctx, peer); err != nil {
			return l, err
		}
	}
	for _, g := range p.give {
		if err := l.Give(ctx, g.peer, g.index, g.vat); err != nil {
			return l, err
		}
	}
	return l, nil
}

// sendAll sends the messages, to what stands for their targets here.
func (p *linkPlan) sendAll(ctx context.Context, l sim.Linked) (answers []sim.Answer, err error) {
	var calls []sim.Call
	var refs []swing.KRef
	for _, call := range p.calls {
		g, _ := readGiven(call.Target)
		ref, err := l.Take(ctx, g.peer, g.index)
		if err != nil {
			return nil, err
		}
		call.Target = string(ref)
		calls, refs = append(calls, call), append(refs, ref)
	}
	if len(calls) == 0 {
		return nil, nil
	}
	answers, _, err = sim.Ask(ctx, l.Host, calls, sim.AskOptions{NoRun: true})
	for _, ref := range refs {
		err = errors.Join(err, l.Host.Release(ctx, ref))
	}
	return answers, err
}

// serveLinks listens and dials, and returns what waits until all of that has ended.
func (a *app) serveLinks(
	ctx context.Context, end *link.End, listen string, dial map[string]string,
) (wait func() error, err error) {
	var serving []func() error
	if listen != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
		if err != nil {
			return nil, err
		}
		if !a.quiet {
			fmt.Fprintf(a.err, "swingsim: listening at %v\n", l.Addr())
		}
		serving = append(serving, func() error { return end.Listen(ctx, l) })
	}
	for peer, address := range dial {
		serving = append(serving, func() error {
			return end.Dial(ctx, peer, func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", address)
			})
		})
	}
	ended := make(chan error, len(serving))
	for _, serve := range serving {
		go func() { ended <- serve() }()
	}
	return func() (err error) {
		for range serving {
			err = errors.Join(err, quietly(<-ended))
		}
		return err
	}, nil
}

// awaitAll waits until all messages are answered, if there are any, or ctx is done.
func awaitAll(
	ctx context.Context, h *host.Host, answers []sim.Answer, answered <-chan struct{},
) error {
	for len(answers) > 0 {
		left := 0
		for i := range answers {
			if answers[i].Held {
				if err := answers[i].Settle(ctx, h); err != nil {
					return err
				}
			}
			if answers[i].Held {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-answered:
		}
	}
	<-ctx.Done()
	return nil
}

// printAnswers prints what became of the messages.
func (a *app) printAnswers(calls []sim.Call, answers []sim.Answer) error {
	list := []answered{}
	for i, one := range answers {
		r := answeredOf(one)
		r.Target = calls[i].Target
		list = append(list, r)
		if a.json {
			continue
		}
		what := r.State
		if !r.Held {
			what += " " + plain(r.Answer)
		}
		fmt.Fprintf(a.out, "%s: %s\n", calls[i], what)
	}
	if a.json {
		return a.printJSON(list)
	}
	return nil
}
