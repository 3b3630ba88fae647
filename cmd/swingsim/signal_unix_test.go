//go:build unix

package main

import (
	"syscall"
	"testing"
)

// TestOnSignal: each SIGUSR1 is told of, until it is stopped.
func TestOnSignal(t *testing.T) {
	called := make(chan struct{})
	stop := onSignal(func() { called <- struct{}{} })
	for range 3 {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		<-called
	}
	stop()
}
