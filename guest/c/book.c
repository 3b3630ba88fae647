// book: a limit order book between two currencies. EXAMPLES.md has its messages.
#include "vat.h"

enum {
	CURRENCY_BYTES_MAX = 16,
	NUMBER_MAX = 1 << 26, // a price, a quantity: their product is no larger than a supply
	ORDERS_MAX = 64,      // orders in the book
	PLACING_MAX = 8,      // orders whose payment is at the mint
	// One order can lead to this many payouts: one to each order it meets, its
	// proceeds, and what its limit spared it.
	PAYOUTS_OF_ORDER = ORDERS_MAX + 2,
	PAYOUTS_MAX = (PLACING_MAX + 1) * PAYOUTS_OF_ORDER,
};

// The two currencies: a price is how much QUOTE one BASE costs.
enum { BASE, QUOTE };

static struct {
	uint8_t name[CURRENCY_BYTES_MAX];
	uint32_t name_len;
	vat_ref account;  // at the mint; VAT_NONE until it is open
	uint64_t balance; // of that account
} currencies[2] = {{.account = VAT_NONE}, {.account = VAT_NONE}};

typedef struct {
	vat_ref object; // who holds it may cancel the order
	bool buys;
	uint64_t price, left;     // left of the quantity, in BASE
	vat_ref refund, proceeds; // where to deposit what is paid back, and paid out
} order;

// orders are in the order of their arrival, which is their priority in time.
static order orders[ORDERS_MAX];
static uint32_t order_count;

// placing are orders whose payment is not redeemed yet. Free if asked is 0.
static struct {
	vat_ref asked, reply;
	order order;
} placing[PLACING_MAX];
static uint32_t placing_count;

// payouts are amounts on their way out: a payment is asked for, or, if asked is 0,
// was refused and is to be asked for again. Free if amount is 0.
static struct {
	vat_ref asked, to;
	uint64_t amount;
	uint32_t currency;
} payouts[PAYOUTS_MAX];
static uint32_t payout_count;

static uint64_t trades;

static uint32_t currency_of(const order *o) { return o->buys ? QUOTE : BASE; }
static uint64_t escrow_of(const order *o) { return o->buys ? o->price * o->left : o->left; }

static int32_t start(vat_reader *r) {
	vat_take_list(r, 2);
	for (uint32_t c = BASE; c <= QUOTE; c++) {
		vat_bytes name = vat_take_text(r);
		if (name.len > CURRENCY_BYTES_MAX) return vat_fail("want [base, quote]");
		currencies[c].name_len = name.len;
		__builtin_memcpy(currencies[c].name, name.at, name.len);
	}
	return vat_taken(r) ? 0 : vat_fail("want [base, quote]");
}

// open is how a mint gives the book its account, once.
static int32_t open(vat_delivery *d) {
	vat_take_list(&d->args, 3);
	vat_bytes name = vat_take_text(&d->args);
	vat_ref account = vat_take_ref(&d->args);
	uint64_t amount = vat_take_uint(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want open(currency, account, amount)");
	for (uint32_t c = BASE; c <= QUOTE; c++) {
		vat_bytes known = {currencies[c].name, currencies[c].name_len};
		if (!vat_equal(name, known) || currencies[c].account != VAT_NONE) continue;
		currencies[c].account = account;
		currencies[c].balance = amount;
		return vat_answer(d->result, NULL);
	}
	return vat_reject(d->result, "no such currency, or open already");
}

// ask_payment asks the mint for the payment that a payout will deposit.
static void ask_payment(uint32_t i) {
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_uint(&args, payouts[i].amount);
	payouts[i].asked = vat_ask(currencies[payouts[i].currency].account, "coin", &args);
}

// pay_out sends an amount on its way. There is room: see place and cancel.
static void pay_out(uint32_t currency, uint64_t amount, vat_ref to) {
	if (!amount) return;
	uint32_t i = 0;
	while (payouts[i].amount) i++;
	payouts[i].to = to;
	payouts[i].amount = amount;
	payouts[i].currency = currency;
	payout_count++;
	ask_payment(i);
}

// ask_again asks for one payment that was refused before.
static void ask_again(void) {
	for (uint32_t i = 0; i < PAYOUTS_MAX; i++) {
		if (!payouts[i].amount || payouts[i].asked) continue;
		ask_payment(i);
		return;
	}
}

// best returns the order that o would trade with first, or ORDERS_MAX: the best
// price, and of several the earliest.
static uint32_t best(const order *o) {
	uint32_t found = ORDERS_MAX;
	for (uint32_t i = 0; i < order_count; i++) {
		const order *rest = &orders[i];
		if (rest->buys == o->buys) continue;
		if (o->buys ? rest->price > o->price : rest->price < o->price) continue;
		if (found == ORDERS_MAX) {
			found = i;
		} else if (o->buys ? rest->price < orders[found].price : rest->price > orders[found].price) {
			found = i;
		}
	}
	return found;
}

static void take_out(uint32_t i) {
	order_count--;
	for (; i < order_count; i++) orders[i] = orders[i + 1];
}

// match trades o with what it meets, at the price of the order that was there
// before, and pays everybody out.
static void match(order *o) {
	uint64_t proceeds = 0, spared = 0;
	for (uint32_t i = best(o); o->left && i != ORDERS_MAX; i = best(o)) {
		order *rest = &orders[i];
		uint64_t quantity = o->left < rest->left ? o->left : rest->left;
		uint64_t cost = rest->price * quantity;
		if (o->buys) {
			proceeds += quantity;
			spared += o->price * quantity - cost;
			pay_out(QUOTE, cost, rest->proceeds);
		} else {
			proceeds += cost;
			pay_out(BASE, quantity, rest->proceeds);
		}
		o->left -= quantity;
		rest->left -= quantity;
		if (!rest->left) take_out(i);
		trades++;
	}
	pay_out(o->buys ? BASE : QUOTE, proceeds, o->proceeds);
	pay_out(QUOTE, spared, o->refund);
}

// place takes an order in and sends its payment to the mint. What the order and
// all others under way may lead to must find room among the payouts.
static int32_t place(vat_delivery *d) {
	order o = {.object = VAT_NONE};
	vat_take_list(&d->args, 6);
	vat_bytes side = vat_take_text(&d->args);
	o.price = vat_take_uint(&d->args);
	o.left = vat_take_uint(&d->args);
	vat_ref payment = vat_take_ref(&d->args);
	o.refund = vat_take_ref(&d->args);
	o.proceeds = vat_take_ref(&d->args);
	o.buys = vat_is(side, "buy");
	if (!vat_taken(&d->args) || (!o.buys && !vat_is(side, "sell")) ||
		(o.refund | o.proceeds) & VAT_PROMISE)
		return vat_reject(d->result, "want place(side, price, quantity, payment, refund, proceeds)");
	if (!o.price || o.price > NUMBER_MAX || !o.left || o.left > NUMBER_MAX)
		return vat_reject(d->result, "a number out of range");
	if (currencies[BASE].account == VAT_NONE || currencies[QUOTE].account == VAT_NONE)
		return vat_reject(d->result, "the book is not open");
	ask_again();
	uint32_t i = 0;
	while (i < PLACING_MAX && placing[i].asked) i++;
	if (i == PLACING_MAX || payout_count + (placing_count + 1) * PAYOUTS_OF_ORDER > PAYOUTS_MAX)
		return vat_reject(d->result, "the book is busy");
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_ref(&args, payment);
	placing[i].asked = vat_ask(currencies[currency_of(&o)].account, "redeem", &args);
	placing[i].reply = d->result;
	placing[i].order = o;
	placing_count++;
	return 0;
}

// paid hears what an order's payment was worth. From here on the book has it.
static void paid(uint32_t i, vat_settled *s) {
	order o = placing[i].order;
	vat_ref reply = placing[i].reply;
	placing[i].asked = 0;
	placing_count--;
	if (s->rejected) {
		vat_relay(reply, s);
		return;
	}
	vat_take_list(&s->data, 1);
	uint64_t amount = vat_take_uint(&s->data);
	currencies[currency_of(&o)].balance += amount;
	if (amount != escrow_of(&o)) {
		pay_out(currency_of(&o), amount, o.refund);
		vat_reject(reply, "not the right payment");
		return;
	}
	match(&o);
	if (o.left && order_count == ORDERS_MAX) { // it met nobody, or there would be room
		pay_out(currency_of(&o), amount, o.refund);
		vat_reject(reply, "the book is full");
		return;
	}
	o.object = vat_new_object();
	if (o.left) orders[order_count++] = o;
	vat_answer_ref(reply, o.object);
}

static int32_t cancel(vat_delivery *d) {
	if (!vat_empty(&d->args)) return vat_reject(d->result, "want cancel()");
	uint32_t i = 0;
	while (i < order_count && orders[i].object != d->target) i++;
	if (i == order_count) return vat_answer_uint(d->result, 0); // it is filled, or was cancelled
	if (payout_count + placing_count * PAYOUTS_OF_ORDER == PAYOUTS_MAX)
		return vat_reject(d->result, "the book is busy");
	uint64_t amount = escrow_of(&orders[i]);
	pay_out(currency_of(&orders[i]), amount, orders[i].refund);
	take_out(i);
	return vat_answer_uint(d->result, amount);
}

// audit answers what the book has of each currency, what it owes, and counts.
static int32_t audit(vat_ref result) {
	uint64_t owed[2] = {0, 0};
	for (uint32_t i = 0; i < order_count; i++) owed[currency_of(&orders[i])] += escrow_of(&orders[i]);
	for (uint32_t i = 0; i < PAYOUTS_MAX; i++) owed[payouts[i].currency] += payouts[i].amount;
	VAT_WRITER(w, 64);
	vat_put_list(&w, 6);
	vat_put_uint(&w, currencies[BASE].balance);
	vat_put_uint(&w, currencies[QUOTE].balance);
	vat_put_uint(&w, owed[BASE]);
	vat_put_uint(&w, owed[QUOTE]);
	vat_put_uint(&w, order_count);
	vat_put_uint(&w, trades);
	return vat_answer(result, &w);
}

static int32_t receive(vat_delivery *d) {
	if (d->target != VAT_ROOT) {
		if (vat_is(d->method, "cancel")) return cancel(d);
		return vat_reject(d->result, "no such method");
	}
	if (vat_is(d->method, "place")) return place(d);
	if (vat_is(d->method, "open")) return open(d);
	if (vat_is(d->method, "audit")) return audit(d->result);
	return vat_reject(d->result, "no such method");
}

// coined hears of a payment for a payout, and deposits it.
static void coined(uint32_t i, vat_settled *s) {
	vat_ref payment = vat_reference(&s->data);
	payouts[i].asked = 0;
	if (s->rejected || payment == VAT_NONE) return; // to be asked for again
	currencies[payouts[i].currency].balance -= payouts[i].amount;
	payouts[i].amount = 0;
	payout_count--;
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_ref(&args, payment);
	vat_send(payouts[i].to, "deposit", &args, VAT_NONE);
}

static void answered(vat_settled *s) {
	uint32_t i = 0;
	while (i < PLACING_MAX && placing[i].asked != s->promise) i++;
	if (i < PLACING_MAX) {
		paid(i, s);
		return;
	}
	for (i = 0; i < PAYOUTS_MAX && payouts[i].asked != s->promise;) i++;
	if (i < PAYOUTS_MAX) coined(i, s);
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[2048];
	vat_delivery d;
	vat_settled s;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_START) return start(&d.args);
	if (d.kind == VAT_MESSAGE) return receive(&d);
	while (vat_next_settled(&d, &s)) answered(&s);
	return 0;
}
