//go:build wasip1

package vat

import "unsafe"

//go:wasmimport vat_v1 input_read
func hostInputRead(to unsafe.Pointer, offset, n uint32) uint32

//go:wasmimport vat_v1 syscall
func hostSyscall(
	op uint32, request unsafe.Pointer, n uint32, answer unsafe.Pointer, room uint32,
) int32

//go:wasmimport vat_v1 result_read
func hostResultRead(to unsafe.Pointer, offset, n uint32) uint32

//go:wasmimport vat_v1 output_write
func hostOutputWrite(from unsafe.Pointer, n uint32)

//go:wasmimport vat_v1 log
func hostLog(level uint32, text unsafe.Pointer, n uint32)

// answerBytesHint is how much of an answer is fetched together with the syscall.
const answerBytesHint = 256

func syscall(op uint32, request []byte) []byte {
	answer := make([]byte, answerBytesHint)
	n := hostSyscall(op, unsafe.Pointer(unsafe.SliceData(request)), uint32(len(request)),
		unsafe.Pointer(unsafe.SliceData(answer)), answerBytesHint)
	if n > answerBytesHint {
		answer = make([]byte, n)
		hostResultRead(unsafe.Pointer(unsafe.SliceData(answer)), 0, uint32(n))
	}
	return answer[:n]
}

func writeLog(level Level, text string) {
	hostLog(uint32(level), unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
}

// vatDeliver is the one export of the ABI: it takes a delivery of n bytes.
//
//go:wasmexport vat_deliver
func vatDeliver(n uint32) (code int32) {
	input := make([]byte, n)
	hostInputRead(unsafe.Pointer(unsafe.SliceData(input)), 0, n)
	problem := self.deliver(input)
	if problem == "" {
		return 0
	}
	hostOutputWrite(unsafe.Pointer(unsafe.StringData(problem)), uint32(len(problem)))
	return 1
}
