// mint: one currency. It vouches for payments, and for nothing else. EXAMPLES.md
// has its messages, and why the supply is conserved whatever others do.
#include "vat.h"

enum {
	CURRENCY_BYTES_MAX = 16,
	ACCOUNTS_MAX = 64,
	PAYMENTS_MAX = 1024, // payments made and not yet redeemed
};

// AMOUNT_MAX bounds what one account is born with, so that no sum overflows.
static const uint64_t AMOUNT_MAX = (uint64_t)1 << 52;

// An account is an object of the mint's: who holds it may draw its balance.
static struct {
	vat_ref object;
	uint64_t balance;
} accounts[ACCOUNTS_MAX];

// A payment is an object of the mint's: its first redeemer gets the amount.
static struct {
	vat_ref object;
	uint64_t amount;
} payments[PAYMENTS_MAX];

static uint32_t account_count, payment_count;
static uint64_t issued;
static uint8_t currency[CURRENCY_BYTES_MAX];
static uint32_t currency_len;

// start issues the whole supply: [currency, (holder, amount) …].
static int32_t start(vat_reader *r) {
	uint32_t items = vat_take_count(r);
	vat_bytes name = vat_take_text(r);
	if (name.len > CURRENCY_BYTES_MAX || items % 2 == 0 || items / 2 > ACCOUNTS_MAX)
		return vat_fail("want [currency, (holder, amount) …]");
	currency_len = name.len;
	__builtin_memcpy(currency, name.at, name.len);
	for (uint32_t i = 0; i < items / 2 && !r->bad; i++) {
		vat_ref holder = vat_take_ref(r);
		uint64_t amount = vat_take_uint(r);
		if (r->bad || amount > AMOUNT_MAX) return vat_fail("want a holder and its amount");
		accounts[i].object = vat_new_object();
		accounts[i].balance = amount;
		issued += amount;
		account_count++;
		VAT_WRITER(args, 64);
		vat_put_list(&args, 3);
		vat_put_text(&args, name);
		vat_put_ref(&args, accounts[i].object);
		vat_put_uint(&args, amount);
		vat_send(holder, "open", &args, VAT_NONE);
	}
	return vat_taken(r) ? 0 : vat_fail("want [currency, (holder, amount) …]");
}

static int32_t audit(vat_ref result) {
	uint64_t held = 0, outstanding = 0;
	for (uint32_t i = 0; i < account_count; i++) held += accounts[i].balance;
	for (uint32_t i = 0; i < payment_count; i++) outstanding += payments[i].amount;
	VAT_WRITER(w, 64);
	vat_put_list(&w, 4);
	vat_put_text(&w, (vat_bytes){currency, currency_len});
	vat_put_uint(&w, issued);
	vat_put_uint(&w, held);
	vat_put_uint(&w, outstanding);
	return vat_answer(result, &w);
}

// coin takes an amount out of an account and makes a payment of it.
static int32_t coin(uint32_t account, vat_delivery *d) {
	vat_take_list(&d->args, 1);
	uint64_t amount = vat_take_uint(&d->args);
	if (!vat_taken(&d->args) || amount == 0) return vat_reject(d->result, "want coin(amount)");
	if (amount > accounts[account].balance) return vat_reject(d->result, "not enough");
	if (payment_count == PAYMENTS_MAX) return vat_reject(d->result, "too many payments");
	accounts[account].balance -= amount;
	payments[payment_count].object = vat_new_object();
	payments[payment_count].amount = amount;
	return vat_answer_ref(d->result, payments[payment_count++].object);
}

// redeem ends a payment and puts its amount into an account. A reference that is
// not this mint's own live payment is found in no table, whatever it pretends.
static int32_t redeem(uint32_t account, vat_delivery *d) {
	vat_take_list(&d->args, 1);
	vat_ref payment = vat_take_ref(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want redeem(payment)");
	uint32_t i = 0;
	while (i < payment_count && payments[i].object != payment) i++;
	if (i == payment_count) return vat_reject(d->result, "no live payment of this mint");
	uint64_t amount = payments[i].amount;
	payments[i] = payments[--payment_count];
	accounts[account].balance += amount;
	return vat_answer_uint(d->result, amount);
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[4096];
	vat_delivery d;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_START) return start(&d.args);
	if (d.kind != VAT_MESSAGE) return 0;
	if (d.target == VAT_ROOT && vat_is(d.method, "audit")) return audit(d.result);
	for (uint32_t i = 0; i < account_count; i++) {
		if (accounts[i].object != d.target) continue;
		if (vat_is(d.method, "coin")) return coin(i, &d);
		if (vat_is(d.method, "redeem")) return redeem(i, &d);
	}
	return vat_reject(d.result, "no such method");
}
