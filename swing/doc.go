// Package swing is the vocabulary every other room shares: identifiers,
// references, capability data, deliveries, syscalls, outcomes, heaps, the
// canonical encoding and the hash.
//
// It holds no behaviour beyond parsing, formatting and encoding, and imports
// nothing of ours. It is pure: no clock, no randomness, no I/O.
//
// # Sides
//
// The kernel names things by [KRef]; a vat names them by [VRef]. A reference
// crosses only through the vat's c-list, and the types keep the sides apart:
// CapData[KRef] does not compile where CapData[VRef] is wanted.
//
// # Encoding
//
// One encoding serves the vat ABI, the transcript, the kernel's rows and the
// log: CBOR in RFC 8949 core deterministic form (section 4.2), arrays with a
// fixed field order. Decoding is strict: one value has one byte string, and any
// other byte string is refused with [ErrEncoding]. The subset used:
//
//	major 0   unsigned integers, shortest head
//	major 2   byte strings, definite length
//	major 3   text strings, definite length, valid UTF-8
//	major 4   arrays, definite length
//	major 7   false, true and null only
//
// Records, field by field (capdata is two fields, body and slots):
//
//	delivery    [1, kind, time, …]
//	  startVat    1   …, body bytes, [slot text …]
//	  message     2   …, target text, method text, body, slots, result text or null
//	  notify      3   …, [[promise text, rejected bool, body, slots] …]
//	request     by syscall, the op travels beside it
//	  send        1   [target, method, body, slots, result or null]
//	  subscribe   2   [promise]
//	  resolve     3   [[promise, rejected, body, slots] …]
//	  exit        4   [failure bool, body, slots]
//	  vatstoreGet     16  [key bytes]          answer: value bytes or null
//	  vatstoreSet     17  [key, value]
//	  vatstoreDelete  18  [key]
//	  vatstoreNextKey 19  [prior key]          answer: key bytes or null
//	heap        [1, program bytes(32), size, [global …], started bool, clock, random,
//	             pages bytes(32)]
//
// A syscall without an answer answers zero bytes. Kinds 4–15 of deliveries and
// ops 5–15, 20–31 of syscalls are kept for collection, devices and upgrade.
package swing
