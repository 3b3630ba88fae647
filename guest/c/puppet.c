// puppet: does what a message's body spells out, and remembers what was delivered
// to it. It is the hands of tests. EXAMPLES.md has its script.
enum { PUPPET_BYTES = 16 << 10 }; // the longest delivery, request and memory
#define VAT_REQUEST_BYTES (PUPPET_BYTES + 256)
#include "vat.h"

// seen are the deliveries, whole, as byte strings back to back; what did not fit
// is counted.
static uint8_t seen[PUPPET_BYTES];
static uint32_t seen_len, seen_count, missed;

static void remember(const uint8_t *delivery, uint32_t len) {
	enum { head_max = 5 };
	if (seen_len + head_max + len > sizeof seen) {
		missed++;
		return;
	}
	vat_writer w = {.to = seen, .len = seen_len, .room = sizeof seen};
	vat_put_bytes(&w, (vat_bytes){delivery, len});
	seen_len = w.len;
	seen_count++;
}

// report answers with what was delivered: [missed, bytes …].
static int32_t report(vat_ref result) {
	static uint8_t body[PUPPET_BYTES + 16];
	vat_writer w = {.to = body, .room = sizeof body};
	vat_put_list(&w, 1 + seen_count);
	vat_put_uint(&w, missed);
	vat_put_raw(&w, (vat_bytes){seen, seen_len});
	return vat_answer(result, &w);
}

static int32_t fail(vat_bytes text) {
	vat_output_write(text.at, text.len);
	return 1;
}

// pseudo does a step that is no syscall. Its result is not 0 if the vat is to fail.
static int32_t pseudo(vat_reader *r, uint32_t items) {
	vat_bytes name = vat_take_text(r);
	if (vat_is(name, "trap") && items == 1) __builtin_trap();
	if (vat_is(name, "fail") && items == 2) return fail(vat_take_text(r));
	if (vat_is(name, "log") && items == 3) {
		uint32_t level = (uint32_t)vat_take_uint(r);
		vat_bytes text = vat_take_text(r);
		vat_log_write(level, text.at, text.len);
	} else if (vat_is(name, "fill") && items == 4) {
		uint32_t at = (uint32_t)vat_take_uint(r);
		uint32_t len = (uint32_t)vat_take_uint(r);
		__builtin_memset((void *)(uintptr_t)at, (int)vat_take_uint(r), len);
	} else if (vat_is(name, "grow") && items == 2) {
		uint32_t pages = (uint32_t)vat_take_uint(r);
		if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return vat_fail("cannot grow");
	} else {
		return vat_fail("no such step");
	}
	return 0;
}

// perform does the steps of a script: [op, request], or [name, …].
static int32_t perform(vat_reader r) {
	for (uint32_t steps = vat_take_count(&r); steps && !r.bad; steps--) {
		uint32_t items = vat_take_count(&r);
		if (r.at < r.end && (*r.at & 0xe0) == vat_text_string) {
			int32_t failed = pseudo(&r, items);
			if (failed) return failed;
			continue;
		}
		uint32_t op = (uint32_t)vat_take_uint(&r);
		vat_bytes request = vat_take_bytes(&r);
		if (!r.bad && items == 2) vat_syscall(op, request.at, request.len, NULL, 0);
	}
	return vat_taken(&r) ? 0 : vat_fail("malformed script");
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[PUPPET_BYTES];
	vat_delivery d;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_MESSAGE && vat_is(d.method, "report")) return report(d.result);
	if (d.kind == VAT_OVERLONG) {
		missed++;
		return vat_reject(d.result, "message too long");
	}
	remember(input, len);
	if (d.kind == VAT_MESSAGE && vat_is(d.method, "do")) return perform(d.args);
	if (d.kind == VAT_START && d.args.at != d.args.end) return perform(d.args);
	return 0;
}
