package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"vatwarehouse/devices"
	"vatwarehouse/host"
)

// ErrRefused is returned for a connection that one of the two sides does not want to have:
// another version or name, a peer that is unknown or was set back, a malformed parcel.
var ErrRefused = errors.New("link refused")

// Options of an End. The zero value is good; so is nil.
type Options struct {
	// Pause is how long Dial waits before it tries again. Default: a second.
	Pause time.Duration
	// Logger is told of connections that begin and end. Default: none.
	Logger *slog.Logger
}

// End is this side of links to other kernels: a mailbox, and the name that the peers'
// mailboxes know it by. It may be used from several goroutines.
type End struct {
	box     Mailbox
	name    string
	options Options
	work    chan struct{}

	mu       sync.Mutex
	sessions map[string]*session // by peer
}

// New returns an End without connections.
func New(box Mailbox, name string, o *Options) *End {
	e := &End{box: box, name: name, work: make(chan struct{}, 1), sessions: map[string]*session{}}
	if o != nil {
		e.options = *o
	}
	if e.options.Pause == 0 {
		e.options.Pause = time.Second
	}
	if e.options.Logger == nil {
		e.options.Logger = slog.New(slog.DiscardHandler)
	}
	return e
}

// Work receives when something was taken in: then Host.Run has something to do, and Flush
// is to be called after it.
func (e *End) Work() <-chan struct{} { return e.work }

// Wake has Drive run the Host: for an embedder that has sent something itself.
func (e *End) Wake() { wake(e.work) }

// wake has whoever waits for a channel look again, be it later.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is to look already
	}
}

// Flush has all connections say what there is to be said.
func (e *End) Flush() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sessions {
		wake(s.news)
	}
}

// Drive runs the Host whenever something was taken in, until ctx is cancelled or a Run
// fails. It returns why.
func (e *End) Drive(ctx context.Context, p host.Policy) error {
	for {
		for idle := false; !idle; {
			ran, err := e.box.Host.Run(ctx, p)
			if err != nil {
				return err
			}
			e.Flush()
			idle = ran.Idle
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.work:
		}
	}
}

// Listen serves whoever connects, until ctx is cancelled or the listener fails. It
// returns why, once all its connections have ended.
func (e *End) Listen(ctx context.Context, l net.Listener) error {
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("listen: %w", err))
		}
		all.Go(func() {
			err := e.Accept(ctx, conn)
			e.options.Logger.Info("a peer's connection ended",
				"from", conn.RemoteAddr().String(), "why", err)
		})
	}
}

// Dial keeps a connection with a peer: whenever there is none it is made by a function,
// with a pause in between. It returns when ctx is cancelled.
func (e *End) Dial(
	ctx context.Context, peer string, dial func(context.Context) (net.Conn, error),
) error {
	for {
		conn, err := dial(ctx)
		if err == nil {
			err = e.Connect(ctx, conn, peer)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.options.Logger.Info("the connection with a peer ended", "peer", peer, "why", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(e.options.Pause):
		}
	}
}

// Connect says hello to a peer and serves the connection until it ends or ctx is
// cancelled. It closes it, and returns why it ended: ErrRefused if one of the two sides did
// not want it.
func (e *End) Connect(ctx context.Context, conn io.ReadWriteCloser, peer string) error {
	return e.serve(ctx, conn, peer)
}

// Accept is Connect for who is called: the peer is whoever says hello, if the mailbox
// knows it.
func (e *End) Accept(ctx context.Context, conn io.ReadWriteCloser) error {
	return e.serve(ctx, conn, "")
}

// serve serves a connection, with whoever calls if the peer is "".
func (e *End) serve(ctx context.Context, conn io.ReadWriteCloser, peer string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { _ = conn.Close(); close(closed) })
	s := &session{
		end: e, frames: newFrames(conn), peer: peer,
		news: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
	}
	defer close(s.done)
	err := s.handshake(ctx)
	if err == nil {
		e.enter(s)
		err = s.run(ctx)
		e.leave(s)
	}
	if stop() {
		_ = conn.Close()
	} else {
		<-closed
		err = context.Cause(ctx)
	}
	return fmt.Errorf("link with %q: %w", s.peer, err)
}

// enter makes a session the one with its peer. One that there was is ended first: its
// connection may be long dead without anybody having been told.
func (e *End) enter(s *session) {
	for {
		e.mu.Lock()
		before := e.sessions[s.peer]
		if before == nil {
			e.sessions[s.peer] = s
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		before.cancel(errors.New("the peer has connected anew"))
		<-before.done
	}
}

func (e *End) leave(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.peer)
}

// Status returns how far the mailbox has come with a peer, and whether there is a
// connection.
func (e *End) Status(
	ctx context.Context, peer string,
) (c devices.Correspondence, connected bool, err error) {
	c, err = e.box.Correspondence(ctx, peer)
	e.mu.Lock()
	defer e.mu.Unlock()
	return c, e.sessions[peer] != nil, err
}
