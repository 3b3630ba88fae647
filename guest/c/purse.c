// purse: what one owner has of one currency. EXAMPLES.md has its messages.
#include "vat.h"

enum {
	CURRENCY_BYTES_MAX = 16,
	WAITING_MAX = 64, // withdrawals and deposits under way
};

// FACET is the purse's second object: who holds it can deposit, and no more.
static const vat_ref FACET = 1;

// waiting are the questions put to the mint. Free if asked is 0.
static struct {
	vat_ref asked, reply;
	uint64_t coined; // what to put back if a withdrawal fails; 0 of a deposit
} waiting[WAITING_MAX];

static uint8_t currency[CURRENCY_BYTES_MAX];
static uint32_t currency_len;
static vat_ref account = VAT_NONE; // at the mint
static uint64_t balance;

// open is how the mint gives the purse its account. It can be done once; that the
// mint is first is for who makes the vats to see to.
static int32_t open(vat_delivery *d) {
	vat_take_list(&d->args, 3);
	vat_bytes name = vat_take_text(&d->args);
	vat_ref ref = vat_take_ref(&d->args);
	uint64_t amount = vat_take_uint(&d->args);
	if (!vat_taken(&d->args) || name.len > CURRENCY_BYTES_MAX)
		return vat_reject(d->result, "want open(currency, account, amount)");
	if (account != VAT_NONE) return vat_reject(d->result, "the purse is open already");
	currency_len = name.len;
	__builtin_memcpy(currency, name.at, name.len);
	account = ref;
	balance = amount;
	return vat_answer(d->result, NULL);
}

// ask puts a question to the mint, whose answer will settle reply.
static int32_t ask(const char *method, const vat_writer *args, vat_ref reply, uint64_t coined) {
	uint32_t i = 0;
	while (i < WAITING_MAX && waiting[i].asked) i++;
	if (i == WAITING_MAX) return vat_reject(reply, "too much under way");
	balance -= coined;
	waiting[i].asked = vat_ask(account, method, args);
	waiting[i].reply = reply;
	waiting[i].coined = coined;
	return 0;
}

static int32_t withdraw(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	uint64_t amount = vat_take_uint(&d->args);
	if (!vat_taken(&d->args) || amount == 0) return vat_reject(d->result, "want withdraw(amount)");
	if (amount > balance) return vat_reject(d->result, "not enough");
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_uint(&args, amount);
	return ask("coin", &args, d->result, amount);
}

static int32_t deposit(vat_delivery *d) {
	vat_take_list(&d->args, 1);
	vat_ref payment = vat_take_ref(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want deposit(payment)");
	VAT_WRITER(args, 16);
	vat_put_list(&args, 1);
	vat_put_ref(&args, payment);
	return ask("redeem", &args, d->result, 0);
}

static int32_t audit(vat_ref result) {
	VAT_WRITER(w, 64);
	vat_put_list(&w, 2);
	vat_put_text(&w, (vat_bytes){currency, currency_len});
	vat_put_uint(&w, balance);
	return vat_answer(result, &w);
}

static int32_t receive(vat_delivery *d) {
	bool owner = d->target == VAT_ROOT;
	if (owner && vat_is(d->method, "open")) return open(d);
	if (owner && vat_is(d->method, "audit")) return audit(d->result);
	if (owner && vat_is(d->method, "facet")) return vat_answer_ref(d->result, FACET);
	if (account == VAT_NONE) return vat_reject(d->result, "the purse is not open");
	if (owner && vat_is(d->method, "withdraw")) return withdraw(d);
	if (vat_is(d->method, "deposit")) return deposit(d);
	return vat_reject(d->result, "no such method");
}

// answered hears from the mint.
static void answered(vat_settled *s) {
	uint32_t i = 0;
	while (i < WAITING_MAX && waiting[i].asked != s->promise) i++;
	if (i == WAITING_MAX) return;
	waiting[i].asked = 0;
	if (s->rejected) {
		balance += waiting[i].coined;
	} else if (!waiting[i].coined) {
		vat_reader r = s->data;
		vat_take_list(&r, 1);
		balance += vat_take_uint(&r);
	}
	vat_relay(waiting[i].reply, s);
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
