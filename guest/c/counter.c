// counter: a number in memory. EXAMPLES.md has its messages.
#include "vat.h"

static uint64_t count;

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[1024];
	vat_delivery d;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind != VAT_MESSAGE) return 0;
	if (vat_is(d.method, "incr")) {
		vat_take_list(&d.args, 1);
		uint64_t n = vat_take_uint(&d.args);
		if (!vat_taken(&d.args)) return vat_reject(d.result, "want incr(n)");
		return vat_answer_uint(d.result, count += n);
	}
	if (vat_is(d.method, "read")) {
		if (!vat_empty(&d.args)) return vat_reject(d.result, "want read()");
		return vat_answer_uint(d.result, count);
	}
	return vat_reject(d.result, "no such method");
}
