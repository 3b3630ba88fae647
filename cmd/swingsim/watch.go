package main

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
	"vatwarehouse/swing"
)

// watchEvery is how long a screen stays.
const watchEvery = 250 * time.Millisecond

// What a terminal is told: to show another screen without a cursor, and to go back.
const (
	screenEnter = "\x1b[?1049h\x1b[?25l"
	screenLeave = "\x1b[?25h\x1b[?1049l"
)

// watch shows a run on a terminal. A nil one shows nothing.
type watch struct {
	out     *os.File
	started time.Time
	drawn   time.Time

	mu    sync.Mutex
	state watchState
	shown bool // the terminal is ours
	over  bool
}

// checkWatch refuses to watch where there is nothing to see.
func (a *app) checkWatch(r *runFlags) error {
	out, isFile := a.out.(*os.File)
	switch {
	case !r.watch:
		return nil
	case !isFile || !term.IsTerminal(int(out.Fd())):
		return usagef("--watch shows the run on a terminal, and the output is none")
	case a.verbose > 0:
		return usagef("--watch and --verbose write over each other: take --log-json")
	}
	return nil
}

// startWatch has a run watched, if that was asked for.
func (a *app) startWatch(
	ctx context.Context, r *runFlags, s *sim.Scenario, o *host.Observer,
) *watch {
	out, isFile := a.out.(*os.File)
	if !r.watch || !isFile {
		return nil
	}
	w := &watch{out: out, started: time.Now(), state: watchState{
		about: s.Name + ": " + s.About, until: orLength(r.deliveries, s.Length.Deliveries),
		vats: map[swing.VatID]*watchVat{},
	}}
	crank, block := o.Crank, o.Block
	o.Crank = func(c host.Crank) {
		if crank != nil {
			crank(c)
		}
		w.update(func() { w.state.crank(c) })
	}
	o.Block = func(b host.Block) {
		block(b)
		w.update(func() { w.state.blocked(b) })
	}
	// The terminal is given back at once, whatever the run still has to do.
	context.AfterFunc(ctx, w.end)
	return w
}

// begin says how many deliveries there were before, and shows the first screen.
func (w *watch) begin(deliveries uint64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.done, w.state.framedDone = deliveries, deliveries; w.over {
		return
	}
	w.shown = true
	w.write(screenEnter)
	w.draw()
}

// update changes the state, and shows it if the screen is old.
func (w *watch) update(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	if w.shown && !w.over && time.Since(w.drawn) >= watchEvery {
		w.draw()
	}
}

// draw shows the state; mu is held.
func (w *watch) draw() {
	w.drawn = time.Now()
	w.state.reckon(w.drawn.Sub(w.started))
	columns, rows, err := term.GetSize(int(w.out.Fd()))
	if err != nil || columns == 0 || rows == 0 {
		columns, rows = 80, 24
	}
	// Each line is written over the one before, so that nothing flickers.
	w.write("\x1b[H" + strings.Join(w.state.lines(columns, rows), "\x1b[K\r\n") + "\x1b[K\x1b[J")
}

func (w *watch) write(s string) {
	_, _ = w.out.WriteString(s) // a terminal that cannot be written to is no fault of the run's
}

// end gives the terminal back as it was.
func (w *watch) end() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shown && !w.over {
		w.write(screenLeave)
	}
	w.over = true
}
