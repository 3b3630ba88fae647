package link_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"vatwarehouse/devices"
	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/link"
	"vatwarehouse/swing"
)

// childEnv has this binary be another kernel, with its state in that directory.
const childEnv = "VATWAREHOUSE_TEST_PEER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// openPeer opens a directory with a mailbox.
func openPeer(dir string, output func(host.Output)) (*host.Host, error) {
	return host.Open(ctx, dir, &host.Options{
		NoSync: true, BlockCranks: 5, Observer: host.Observer{Output: output},
		Devices: map[string]kernel.Device{"mailbox": devices.Mailbox{}},
	})
}

// child is the kernel b: a counter that a knows. It listens, says where, and goes on until
// its standard input ends, or it is killed.
func child(dir string) error {
	h, err := openPeer(dir, nil)
	if err != nil {
		return err
	}
	_, err = h.Device("mailbox")
	if errors.Is(err, host.ErrNotFound) {
		err = settle(h)
	}
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		stop()
	}()
	fmt.Println(l.Addr())
	end := link.New(link.Mailbox{Host: h, Device: "mailbox"}, "b", nil)
	listening := make(chan error, 1)
	go func() { listening <- end.Listen(run, l) }()
	err = end.Drive(run, host.Policy{})
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	<-listening
	return errors.Join(err, h.Close(ctx))
}

// settle makes the vats of b, in one block.
func settle(h *host.Host) error {
	mailbox, err := h.AddDevice(ctx, "mailbox")
	if err != nil {
		return err
	}
	var roots []swing.KRef
	for _, name := range []string{"comms", "counter"} {
		code, _ := guest.Program(name)
		hash, err := h.Install(ctx, code)
		if err != nil {
			return err
		}
		_, root, err := h.CreateVat(ctx, host.VatSpec{Name: name, Code: hash, Pipelining: name == "comms"})
		if err != nil {
			return err
		}
		roots = append(roots, root)
	}
	err = h.SendOnly(ctx, roots[0], message("addRemote", "a", mailbox))
	return errors.Join(err, h.SendOnly(ctx, roots[0], message("addEgress", "a", 1, roots[1])),
		h.Commit(ctx))
}

// children starts b over and over.
type children struct {
	*testing.T
	dir  string
	cmd  *exec.Cmd
	at   atomic.Value // where it listens
	stop func() error
}

func (c *children) start() {
	c.Helper()
	c.cmd = exec.CommandContext(c.Context(), os.Args[0])
	c.cmd.Env = append(os.Environ(), childEnv+"="+c.dir)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		c.Fatal(err)
	}
	c.stop = in.Close
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.Fatal(err)
	}
	address, _, err := bufio.NewReader(out).ReadLine()
	if err != nil {
		c.Fatal("the peer says nothing: ", err)
	}
	c.at.Store(string(address))
}

// kill ends b as power that fails does.
func (c *children) kill() {
	c.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		c.Fatal(err)
	}
	_ = c.cmd.Wait() // killed
}

// TestTwoProcesses: two kernels in two processes, connected by TCP. One is killed again and
// again, the other one closed and opened: every message counts, once.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	b := &children{T: t, dir: t.TempDir()}
	b.start()
	a := &caller{T: t, dir: t.TempDir(), dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", b.at.Load().(string))
	}}
	a.open()
	a.meet()
	total := uint64(0)
	for range 8 {
		n := 1 + rng.IntN(30)
		for range n {
			a.count()
		}
		total += uint64(n)
		answers := rng.IntN(n + 1)
		for range answers {
			a.wait()
		}
		switch rng.IntN(3) {
		case 0:
			b.kill()
			b.start()
		case 1:
			a.close()
			a.open()
		case 2:
			a.cut()
		}
		for range n - answers {
			a.wait()
		}
	}
	a.count()
	if got := a.wait(); got != total+1 {
		t.Errorf("b counted %d messages, %d were sent", got, total+1)
	}
	a.close()
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	if err := b.cmd.Wait(); err != nil {
		t.Errorf("b ended with %v", err)
	}
}

// caller is the kernel a, in this process.
type caller struct {
	*testing.T
	dir     string
	dial    func(context.Context) (net.Conn, error)
	h       *host.Host
	counter swing.KRef
	answers chan uint64
	conn    atomic.Pointer[net.Conn]
	end     *link.End
	stop    func()
}

func (a *caller) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// open opens the directory and keeps a connection with b.
func (a *caller) open() {
	a.Helper()
	if a.answers == nil {
		a.answers = make(chan uint64, 1000)
	}
	var err error
	a.h, err = openPeer(a.dir, func(o host.Output) {
		r := swing.NewReader(o.Data.Body)
		if len(o.Data.Body) > 0 && r.Array() == 1 {
			a.answers <- r.Uint()
		}
	})
	a.must(err)
	a.end = link.New(link.Mailbox{Host: a.h, Device: "mailbox"}, "a", &link.Options{Pause: time.Millisecond})
	run, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- a.end.Drive(run, host.Policy{}) }()
	go func() {
		ended <- a.end.Dial(run, "b", func(ctx context.Context) (net.Conn, error) {
			conn, err := a.dial(ctx)
			if err == nil {
				a.conn.Store(&conn)
			}
			return conn, err
		})
	}()
	a.stop = func() {
		cancel()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				a.Errorf("a ended with %v", err)
			}
		}
	}
}

func (a *caller) close() {
	a.Helper()
	a.stop()
	a.must(a.h.Close(ctx))
}

// cut closes the connection, whatever is on it.
func (a *caller) cut() {
	if conn := a.conn.Load(); conn != nil {
		_ = (*conn).Close()
	}
}

// meet makes the vats of a, and finds the counter of b.
func (a *caller) meet() {
	a.Helper()
	mailbox, err := a.h.AddDevice(ctx, "mailbox")
	a.must(err)
	code, _ := guest.Program("comms")
	hash, err := a.h.Install(ctx, code)
	a.must(err)
	_, comms, err := a.h.CreateVat(ctx, host.VatSpec{Name: "comms", Code: hash, Pipelining: true})
	a.must(err)
	a.must(a.h.SendOnly(ctx, comms, message("addRemote", "b", mailbox)))
	result, err := a.h.Send(ctx, comms, message("addIngress", "b", 1))
	a.must(err)
	_, err = a.h.Run(ctx, host.Policy{})
	a.must(err)
	p, err := a.h.Promise(result)
	a.must(err)
	ref, ok := p.Data.Reference()
	if !ok {
		a.Fatalf("no ingress: %q", p.Data.Body)
	}
	a.must(a.h.Retain(ctx, ref))
	a.counter = ref
}

func (a *caller) count() {
	a.Helper()
	_, err := a.h.Send(ctx, a.counter, message("incr", 1))
	a.must(err)
	a.must(a.h.Commit(ctx))
	a.end.Wake()
}

// wait returns the next answer.
func (a *caller) wait() uint64 {
	a.Helper()
	select {
	case n := <-a.answers:
		return n
	case <-time.After(time.Minute):
		a.Fatal("no answer comes")
		return 0
	}
}
