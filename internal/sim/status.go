package sim

import (
	"fmt"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// Status is where a directory's scenario stands.
type Status struct {
	Scenario, About, Seed string
	Identity              swing.Hash
	// Length is the one in the scenario's text.
	Length Length
	// Steps are sent, of setup and rounds of the workload; SetupSteps of these
	// are the former's. Messages are those of the workload.
	Steps, SetupSteps, Messages uint64
	// Audit is the latest, or nil.
	Audit *Audit
}

// Stored returns the scenario that a directory was made by, with its seed: all
// that a Run needs to continue it. Without one the error is host.ErrNotFound.
func Stored(h *host.Host) (*Scenario, error) {
	m, ok, err := read(h, noteScenario, decodeMade)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("scenario of the directory: %w", host.ErrNotFound)
	}
	return m.scenario()
}

// scenario parses the noted text. The bytes of own programs are not in it.
func (m made) scenario() (*Scenario, error) {
	s, err := parse(m.name, m.text, func(string) ([]byte, error) { return nil, nil })
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNote, noteScenario, err)
	}
	s.Seed = m.seed
	s.stored = m.identity
	return s, nil
}

// status is where a scenario stands before anything is done.
func (s *Scenario) status() Status {
	return Status{
		Scenario: s.Name, About: s.About, Seed: s.Seed, Identity: s.Identity(), Length: s.Length,
	}
}

// ReadStatus returns where a directory's scenario stands.
func ReadStatus(h *host.Host) (st Status, err error) {
	s, err := Stored(h)
	if err != nil {
		return st, err
	}
	return s.readStatus(h)
}

// readStatus is ReadStatus for a scenario that is known, with its length.
func (s *Scenario) readStatus(h *host.Host) (st Status, err error) {
	st = s.status()
	if st.Steps, _, err = read(h, noteSteps, decodeSteps); err != nil {
		return st, err
	}
	st.SetupSteps = min(uint64(len(s.setup)), st.Steps)
	st.Messages = s.messagesBefore(st.Steps)
	was, ok, err := read(h, noteAnswers, decodeAnswered)
	if err != nil || !ok {
		return st, err
	}
	if len(was.answers) != s.audit.asked() {
		return st, fmt.Errorf("%w: %s: %d answers of %d vats", ErrNote, noteAnswers,
			len(was.answers), s.audit.asked())
	}
	a := answers{s: s, messages: st.Messages, byVat: map[int]answer{}}
	next := 0
	for _, q := range s.audit.asks {
		for i := range q.group.count {
			a.byVat[q.group.first+i] = was.answers[next]
			next++
		}
	}
	st.Audit = a.report(was.deliveries)
	for k := range s.audit.asserts {
		st.Audit.Asserts = append(st.Audit.Asserts, a.asserted(k, was.answers[next+k]))
	}
	return st, nil
}
