package host

// background runs one job at a time beside the Host's owner.
type background struct{ done chan error }

// start runs the job: at once and to its end if inline, else in a goroutine.
// No job may be running.
func (b *background) start(inline bool, job func() error) {
	if b.done != nil {
		panic("host: a background job is running already")
	}
	b.done = make(chan error, 1)
	run := func() { b.done <- job() }
	if inline {
		run()
		return
	}
	go run()
}

// busy reports whether a job was started and not yet collected.
func (b *background) busy() bool { return b.done != nil }

// poll collects the job if it has ended.
func (b *background) poll() (ended bool, err error) {
	if b.done == nil {
		return false, nil
	}
	select {
	case err := <-b.done:
		b.done = nil
		return true, err
	default:
		return false, nil
	}
}

// wait collects the job once it has ended, if there is one.
func (b *background) wait() (ended bool, err error) {
	if b.done == nil {
		return false, nil
	}
	err = <-b.done
	b.done = nil
	return true, err
}
