package sim

// The script of a scenario is a row of steps. Each step sends messages, all at
// once, when everything is quiet; then the kernel runs until all is quiet again.
// Steps are numbered: first those of setup, one an entry, then the rounds of the
// workload. What a step sends is a function of its number alone.

// share is what one entry sends in a round: its messages [from, to).
type share struct {
	entry    *entry
	from, to uint64
}

// round returns what the r-th round of the workload sends; nothing if the
// workload has no more.
func (s *Scenario) round(r uint64) (shares []share) {
	left := uint64(messagesMax)
	if s.Length.Messages > 0 {
		left = s.Length.Messages - min(s.Length.Messages, s.sentBefore(r))
	}
	for i := range s.workload {
		e := &s.workload[i]
		from := e.sentBefore(r)
		to := min(e.sentBefore(r+1), from+left)
		if from < to {
			shares = append(shares, share{e, from, to})
			left -= to - from
		}
	}
	return shares
}

// sentBefore returns how many messages an entry has sent in the first r rounds.
func (e *entry) sentBefore(r uint64) uint64 {
	most := uint64(messagesMax)
	if e.messages > 0 {
		most = e.messages
	}
	if r > most/e.burst {
		return most
	}
	return min(most, r*e.burst)
}

// sentBefore returns how many messages the workload has sent in the first r
// rounds.
func (s *Scenario) sentBefore(r uint64) (n uint64) {
	for i := range s.workload {
		n += s.workload[i].sentBefore(r)
	}
	if s.Length.Messages > 0 {
		n = min(n, s.Length.Messages)
	}
	return n
}

// step makes the messages of a step and hands them over one by one; they share
// memory. It returns false if there is no such step.
func (s *Scenario) step(k uint64, send func(*message) error) (more bool, err error) {
	var m message
	sc := &scope{draw: new(draw)}
	if k < uint64(len(s.setup)) {
		for i := range s.setup[k].to {
			s.fillSetup(&m, sc, int(k), i)
			if err := send(&m); err != nil {
				return true, err
			}
		}
		return true, nil
	}
	shares := s.round(k - uint64(len(s.setup)))
	for _, sh := range shares {
		for n := sh.from; n < sh.to; n++ {
			s.fillWork(&m, sc, sh.entry, n)
			if err := send(&m); err != nil {
				return true, err
			}
		}
	}
	return len(shares) > 0, nil
}

// messagesBefore returns how many messages of the workload the first k steps
// have sent.
func (s *Scenario) messagesBefore(k uint64) uint64 {
	if k <= uint64(len(s.setup)) {
		return 0
	}
	return s.sentBefore(k - uint64(len(s.setup)))
}
