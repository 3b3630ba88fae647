package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// version is that of what is said on a connection.
const version = 1

// helloTime is how long a side waits for the other to say hello, or to hear a refusal, where
// the connection can tell.
const helloTime = 10 * time.Second

var errTheyRefused = fmt.Errorf("the other side: %w", ErrRefused)

// session is one connection.
type session struct {
	end    *End
	frames *frames
	peer   string
	news   chan struct{} // there may be something to say
	cancel context.CancelCauseFunc
	done   chan struct{} // closed at the end

	said  uint64 // the last message sent, or known to be taken in
	acked uint64 // what was acknowledged last
}

func refusal(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// handshake has the two sides say hello. Who is called waits to hear who calls.
func (s *session) handshake(ctx context.Context) (err error) {
	s.frames.patience(helloTime)
	called := s.peer == ""
	if !called {
		if err := s.sayHello(ctx); err != nil {
			return err
		}
	}
	err = s.hearHello(ctx, s.peer)
	if err == nil && called {
		err = s.sayHello(ctx)
	}
	if errors.Is(err, ErrRefused) && !errors.Is(err, errTheyRefused) {
		s.frames.refuse(err)
	}
	s.frames.patience(0)
	return err
}

func (s *session) sayHello(ctx context.Context) error {
	c, err := s.end.box.Correspondence(ctx, s.peer)
	if err != nil {
		return err
	}
	hello := swing.AppendUint(swing.AppendArray(nil, 4), version)
	hello = swing.AppendText(swing.AppendText(hello, s.end.name), s.peer)
	return s.frames.write(kindHello, swing.AppendUint(hello, c.Taken))
}

// hearHello takes the other side's hello, which is from a certain peer unless that is "".
func (s *session) hearHello(ctx context.Context, want string) error {
	hello, err := s.frames.read(kindHello)
	if err != nil {
		return err
	}
	r := swing.NewReader(hello)
	fields, v := r.Array(), r.Uint()
	if r.Err() == nil && v != version {
		return refusal("it speaks version %d, this side version %d", v, version)
	}
	from, to, taken := r.Text(), r.Text(), r.Uint()
	if err := r.Done(); err != nil || fields != 4 {
		return refusal("a malformed hello")
	}
	if to != s.end.name || want != "" && from != want {
		return refusal("this is %.64q, called by %.64q for %.64q", s.end.name, from, to)
	}
	c, err := s.end.box.Correspondence(ctx, from)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case taken < c.Acknowledged:
		return refusal("%q has taken in %d messages, and had acknowledged %d: it was set back",
			from, taken, c.Acknowledged)
	case taken > c.Sent:
		return refusal("%q has taken in %d messages of %d: %q was set back",
			from, taken, c.Sent, s.end.name)
	}
	s.peer, s.said = from, taken
	return nil
}

// run says what there is to be said, and hands in what comes, until the connection ends.
func (s *session) run(ctx context.Context) error {
	s.end.options.Logger.Info("a connection with a peer began", "peer", s.peer)
	heard := make(chan error, 1)
	go func() {
		err := s.listen(ctx)
		if errors.Is(err, ErrRefused) && !errors.Is(err, errTheyRefused) {
			s.frames.refuse(err) // while there still is a connection
		}
		s.cancel(err)
		heard <- err
	}()
	err := s.speak(ctx)
	s.cancel(err) // closes the connection, so that the other returns
	return errors.Join(err, <-heard)
}

// listen hands in parcels.
func (s *session) listen(ctx context.Context) error {
	for {
		parcel, err := s.frames.read(kindParcel)
		if err != nil {
			return err
		}
		err = s.end.box.Take(ctx, s.peer, parcel)
		if errors.Is(err, host.ErrRefused) {
			err = fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if err != nil {
			return err
		}
		s.end.Wake()
	}
}

// speak says what there is to be said: messages, or only what was taken in.
func (s *session) speak(ctx context.Context) error {
	for first := true; ; first = false {
		c, err := s.end.box.Correspondence(ctx, s.peer)
		if err != nil {
			return err
		}
		if first || c.Sent > s.said || c.Taken > s.acked {
			parcel, last, err := s.end.box.Parcel(ctx, s.peer, s.said)
			if err != nil {
				return err
			}
			if err := s.frames.write(kindParcel, parcel); err != nil {
				return err
			}
			s.said, s.acked = last, c.Taken
			continue // there may be more than fits into one
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.news:
		}
	}
}
