package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressAfter is how long something takes before a bar is shown.
const progressAfter = 2 * time.Second

// progress is a bar on a person's terminal. It shows nothing elsewhere.
type progress struct {
	bar     *progressbar.ProgressBar
	started time.Time
	total   int64 // 0 is not known
	done    int64
	what    string
	out     io.Writer // nil is nowhere
}

// newProgress returns a bar for so many of what, 0 if that is not known; it appears
// when it has taken a while.
func (a *app) newProgress(total uint64, what string) *progress {
	f, isFile := a.err.(*os.File)
	p := &progress{started: time.Now(), total: int64(total), what: what}
	if isFile && term.IsTerminal(int(f.Fd())) && !a.quiet && a.verbose == 0 {
		p.out = f
	}
	return p
}

// to says how many are done.
func (p *progress) to(done int64) {
	p.done = done
	if p.out == nil || time.Since(p.started) < progressAfter {
		return
	}
	if p.bar == nil {
		total := p.total
		if total == 0 {
			total = -1 // a spinner
		}
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	if p.total > 0 {
		done = min(done, p.total-1) // a bar that is full shows nothing any more
	}
	_ = p.bar.Set64(done) // a terminal that cannot be written to is no fault of the run's
}

// describe says what is being done now.
func (p *progress) describe(what string) {
	p.what = what
	if p.bar != nil {
		p.bar.Describe(what)
	}
	p.to(p.done)
}

// say says what is being done now, which is one thing more.
func (p *progress) say(what string) {
	p.done++
	p.describe(what)
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
