// pingpong: two vats, or a ring of them, that pass a number on. EXAMPLES.md has
// its messages.
#include "vat.h"

// WAITING_MAX bounds the pings under way: answers this vat waits for.
enum { WAITING_MAX = 256 };

// waiting are the pings passed on: whose answer settles what. Free if asked is 0.
static struct {
	vat_ref asked, reply;
} waiting[WAITING_MAX];

static vat_ref peer = VAT_NONE;
static uint64_t pings, volleys;

static int32_t ping(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	uint64_t n = vat_take_uint(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want ping(n)");
	pings++;
	if (n == 0) return vat_answer_uint(d->result, 0);
	if (peer == VAT_NONE) return vat_reject(d->result, "no peer");
	uint32_t i = 0;
	while (i < WAITING_MAX && waiting[i].asked) i++;
	if (i == WAITING_MAX) return vat_reject(d->result, "too many pings under way");
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_uint(&args, n - 1);
	waiting[i].asked = vat_ask(peer, "ping", &args);
	waiting[i].reply = d->result;
	return 0;
}

static int32_t volley(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	uint64_t n = vat_take_uint(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want volley(n)");
	volleys++;
	if (n > 0) {
		if (peer == VAT_NONE) return vat_reject(d->result, "no peer");
		VAT_WRITER(args, 16);
		vat_put_list(&args, 1);
		vat_put_uint(&args, n - 1);
		vat_send(peer, "volley", &args, VAT_NONE);
	}
	return vat_answer_uint(d->result, n);
}

static int32_t receive(vat_delivery *d) {
	if (vat_is(d->method, "ping")) return ping(d);
	if (vat_is(d->method, "volley")) return volley(d);
	if (vat_is(d->method, "peer")) {
		vat_take_list(&d->args, 1);
		vat_ref ref = vat_take_ref(&d->args);
		if (!vat_taken(&d->args) || ref & VAT_PROMISE)
			return vat_reject(d->result, "want peer(object)");
		peer = ref;
		return vat_answer(d->result, NULL);
	}
	if (vat_is(d->method, "read")) {
		if (!vat_empty(&d->args)) return vat_reject(d->result, "want read()");
		VAT_WRITER(w, 32);
		vat_put_list(&w, 2);
		vat_put_uint(&w, pings);
		vat_put_uint(&w, volleys);
		return vat_answer(d->result, &w);
	}
	return vat_reject(d->result, "no such method");
}

// answered passes a ping's answer back, one higher.
static void answered(vat_settled *s) {
	uint32_t i = 0;
	while (i < WAITING_MAX && waiting[i].asked != s->promise) i++;
	if (i == WAITING_MAX) return;
	waiting[i].asked = 0;
	if (s->rejected) {
		vat_relay(waiting[i].reply, s);
		return;
	}
	vat_take_list(&s->data, 1);
	uint64_t n = vat_take_uint(&s->data);
	if (vat_taken(&s->data)) {
		vat_answer_uint(waiting[i].reply, n + 1);
	} else {
		vat_reject(waiting[i].reply, "the peer answered no number");
	}
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[2048];
	vat_delivery d;
	vat_settled s;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_MESSAGE) return receive(&d);
	while (vat_next_settled(&d, &s)) answered(&s);
	return 0;
}
