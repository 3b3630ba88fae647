package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
)

// logBufferBytes gathers lines of the log before they are written.
const logBufferBytes = 256 << 10

// startLog returns the logger that the flags ask for, and what to call when all
// is logged.
func (a *app) startLog() (*slog.Logger, func() error, error) {
	var handlers []slog.Handler
	stop := func() error { return nil }
	if a.verbose > 0 {
		level := slog.LevelInfo
		if a.verbose > 1 {
			level = slog.LevelDebug
		}
		handlers = append(handlers, slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
	}
	if a.logJSON != "" {
		f, err := os.Create(a.logJSON)
		if err != nil {
			return nil, nil, fmt.Errorf("open log: %w", err)
		}
		b := bufio.NewWriterSize(f, logBufferBytes)
		stop = func() error {
			if err := errors.Join(b.Flush(), f.Close()); err != nil {
				return fmt.Errorf("write log: %w", err)
			}
			return nil
		}
		all := &slog.HandlerOptions{Level: slog.LevelDebug}
		handlers = append(handlers, slog.NewJSONHandler(b, all))
	}
	if len(handlers) == 0 {
		return nil, stop, nil
	}
	return slog.New(slog.NewMultiHandler(handlers...)), stop, nil
}

// startProfile starts the profile that the flags ask for, and returns what to
// call at the end.
func (a *app) startProfile() (func() error, error) {
	if a.cpuProfile == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(a.cpuProfile)
	if err != nil {
		return nil, fmt.Errorf("open profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("start profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
		return nil
	}, nil
}
