// trader: turns ticks into orders. EXAMPLES.md has its messages.
#include "vat.h"

enum {
	NUMBER_MAX = 1 << 26, // a price, a quantity
	TICKS_MAX = 16,       // ticks under way
	OPEN_MAX = 4,         // orders left in the book: the fifth cancels the first
};

// The two currencies, and the trader's purses of them.
enum { BASE, QUOTE };

static vat_ref book;
static vat_ref purses[2];
static vat_ref facets[2] = {VAT_NONE, VAT_NONE};  // the purses' deposit facets
static vat_ref facets_asked[2];

// ticks are under way: first a payment is withdrawn, then the order placed. Free if
// asked is 0.
static struct {
	vat_ref asked, reply;
	bool buys, placing;
	uint64_t price, quantity;
	vat_ref payment; // when placing
} ticks[TICKS_MAX];

static vat_ref open[OPEN_MAX]; // a ring; 0 is none
static uint32_t open_next;
static uint64_t ticked, placed, failed;

static int32_t start(vat_reader *r) {
	vat_take_list(r, 3);
	book = vat_take_ref(r);
	for (uint32_t c = BASE; c <= QUOTE; c++) purses[c] = vat_take_ref(r);
	if (!vat_taken(r)) return vat_fail("want [book, base purse, quote purse]");
	for (uint32_t c = BASE; c <= QUOTE; c++) facets_asked[c] = vat_ask(purses[c], "facet", NULL);
	return 0;
}

static uint32_t currency_of(uint32_t i) { return ticks[i].buys ? QUOTE : BASE; }

static int32_t tick(vat_delivery *d) {
	vat_take_list(&d->args, 3);
	vat_bytes side = vat_take_text(&d->args);
	uint64_t price = vat_take_uint(&d->args);
	uint64_t quantity = vat_take_uint(&d->args);
	bool buys = vat_is(side, "buy");
	if (!vat_taken(&d->args) || (!buys && !vat_is(side, "sell")) || !price || price > NUMBER_MAX ||
		!quantity || quantity > NUMBER_MAX)
		return vat_reject(d->result, "want tick(side, price, quantity)");
	ticked++;
	uint32_t i = 0;
	while (i < TICKS_MAX && ticks[i].asked) i++;
	if (i == TICKS_MAX) return vat_reject(d->result, "too much under way");
	ticks[i].reply = d->result;
	ticks[i].buys = buys;
	ticks[i].placing = false;
	ticks[i].price = price;
	ticks[i].quantity = quantity;
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_uint(&args, buys ? price * quantity : quantity);
	ticks[i].asked = vat_ask(purses[currency_of(i)], "withdraw", &args);
	return 0;
}

// give_back deposits a tick's payment: it still is the trader's.
static void give_back(uint32_t i) {
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_ref(&args, ticks[i].payment);
	vat_send(purses[currency_of(i)], "deposit", &args, VAT_NONE);
	failed++;
}

// withdrawn has the payment, and places the order. The purses have told their facets
// by now: they were asked for them first.
static void withdrawn(uint32_t i, vat_settled *s) {
	vat_ref payment = s->rejected ? VAT_NONE : vat_reference(&s->data);
	ticks[i].asked = 0;
	if (payment == VAT_NONE) {
		failed++;
		vat_relay(ticks[i].reply, s);
		return;
	}
	ticks[i].payment = payment;
	if (facets[BASE] == VAT_NONE || facets[QUOTE] == VAT_NONE) {
		give_back(i);
		vat_reject(ticks[i].reply, "a purse has no facet");
		return;
	}
	VAT_WRITER(args, 64);
	vat_put_list(&args, 6);
	vat_put_text(&args, vat_text(ticks[i].buys ? "buy" : "sell"));
	vat_put_uint(&args, ticks[i].price);
	vat_put_uint(&args, ticks[i].quantity);
	vat_put_ref(&args, payment);
	vat_put_ref(&args, facets[currency_of(i)]);
	vat_put_ref(&args, facets[ticks[i].buys ? BASE : QUOTE]);
	ticks[i].placing = true;
	ticks[i].asked = vat_ask(book, "place", &args);
}

// answered_by_book has the order, or the payment still.
static void answered_by_book(uint32_t i, vat_settled *s) {
	vat_ref object = s->rejected ? VAT_NONE : vat_reference(&s->data);
	ticks[i].asked = 0;
	if (object == VAT_NONE) {
		give_back(i);
		vat_relay(ticks[i].reply, s);
		return;
	}
	if (open[open_next]) vat_send(open[open_next], "cancel", NULL, VAT_NONE);
	open[open_next] = object;
	open_next = (open_next + 1) % OPEN_MAX;
	vat_answer_uint(ticks[i].reply, ++placed);
}

static void answered(vat_settled *s) {
	for (uint32_t c = BASE; c <= QUOTE; c++)
		if (facets_asked[c] == s->promise && !s->rejected) facets[c] = vat_reference(&s->data);
	uint32_t i = 0;
	while (i < TICKS_MAX && ticks[i].asked != s->promise) i++;
	if (i == TICKS_MAX) return;
	if (ticks[i].placing) {
		answered_by_book(i, s);
	} else {
		withdrawn(i, s);
	}
}

// cancel takes back all orders left in the book, the oldest first.
static int32_t cancel(vat_ref result) {
	uint64_t cancelled = 0;
	for (uint32_t n = 0; n < OPEN_MAX; n++, open_next = (open_next + 1) % OPEN_MAX) {
		if (!open[open_next]) continue;
		vat_send(open[open_next], "cancel", NULL, VAT_NONE);
		open[open_next] = 0;
		cancelled++;
	}
	return vat_answer_uint(result, cancelled);
}

static int32_t audit(vat_ref result) {
	VAT_WRITER(w, 32);
	vat_put_list(&w, 3);
	vat_put_uint(&w, ticked);
	vat_put_uint(&w, placed);
	vat_put_uint(&w, failed);
	return vat_answer(result, &w);
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[2048];
	vat_delivery d;
	vat_settled s;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_START) return start(&d.args);
	if (d.kind == VAT_MESSAGE) {
		if (vat_is(d.method, "tick")) return tick(&d);
		if (vat_is(d.method, "cancel")) return cancel(d.result);
		if (vat_is(d.method, "audit")) return audit(d.result);
		return vat_reject(d.result, "no such method");
	}
	while (vat_next_settled(&d, &s)) answered(&s);
	return 0;
}
