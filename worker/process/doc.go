// Package process runs workers in a process of their own, so that a fault in compiled
// code, or a machine short of memory, ends that process and not the kernel's.
//
// An [Engine] starts the process with its first program, and again after it has died. Who
// uses the engine is told by a *warehouse.LostError that everything in it is gone: nothing
// that was not in the transcripts is lost. The process holds no state of its own: images
// are files that it maps copy-on-write and only reads; what was written comes back with
// Capture.
//
// It is no sandbox: the process may do what its parent may. Linux only.
//
// # The connection
//
// The process is the same binary, or another that calls [Serve] first in main. Its file 3
// is one end of a stream socket. Both sides send frames (package frame, seed 0) whose
// bodies are canonical encodings (package swing). There is one request at a time:
//
//	kind  body                                              answered by
//	 1    options, as JSON                                  11
//	 2    [program, code, 1 if it yields, else 0]           12
//	 3    [program]                                         11
//	 4    [worker, program, heap, seed, size] with a file   13
//	 5    [worker, fuel, log bool, delivery]                any of 16 and 17, then 14
//	 6    [worker]                                          15, then 18 until all pages came
//	 7    [worker, size, same bool] with a file if not same 11
//	 8    [worker]                                          11
//	 9    [go on bool, answer]: answers 16
//	10    [refused bool, text]: a request failed, in place of its answer
//	11    []: done
//	12    [program id, memory size, offset, bytes, …]: segments of data
//	13    [memory size]
//	14    [status, problem, fuel, memory size]
//	15    [heap, number of pages]
//	16    [op, request]: a syscall
//	17    [level, bytes]: a line of log
//	18    pages: index (4 bytes, little-endian) and bytes of each
//
// Files are passed along with the frame's first byte (SCM_RIGHTS). The end of the
// connection ends the process.
package process

import "errors"

// ErrUnsupported is returned where there can be no worker process: it needs Linux, and a
// binary that serves.
var ErrUnsupported = errors.New("worker processes are not supported here")

// marker is the variable that tells a binary that it was started to serve.
const marker = "VATWAREHOUSE_WORKER"
