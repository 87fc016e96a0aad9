/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides which DNS messages need not be queued: plain questions and plain address answers for names that cannot be
 * listed. Written for a verifier (every index masked, every loop bounded); also compiled into the
 * daemon's tests, where it is compared with the reader that judges. Whatever is not plain is left to that.
 *
 * RFC 1035 4.1; RFC 6891 6.1.2.
 */
#ifndef NFQD_CAPTURE_PREFILTER_READ_H
#define NFQD_CAPTURE_PREFILTER_READ_H

#include "base/label_hash.h"
#include "capture/prefilter_rules.h"

enum {
	PREFILTER_BYTES = 512,   /* of a message; a power of two */
	PREFILTER_LABELS = 16,   /* likewise; one fewer may be used */
	PREFILTER_WORDS = 40,    /* of all labels, eight bytes each and the last one begun */
	PREFILTER_NAME = 255,    /* bytes of a name with its root (RFC 1035 2.3.4) */
	PREFILTER_ADDRESSES = 16,
	PREFILTER_HEADER = 12
};

/*
 * What is found lies here and not on the stack: of what comes out of a map a verifier knows nothing, so that each
 * turn of a loop looks the same to it, and it looks once.
 */
struct prefilter_work {
	__u8  message[PREFILTER_BYTES + 32];
	__u64 label[PREFILTER_LABELS]; /* their hashes */
	__u64 guard[PREFILTER_ADDRESSES]; /* hashes of an answer's addresses */
	__u32 ttl[PREFILTER_ADDRESSES];
	__u64 hash; /* of the label, or the name, that is being read */
	__u32 at, left, labels, addresses, type;
	__u32 taken; /* the kernel's: by a packet whose reading another one may interrupt */
};

/* Provided by who includes this: a word of the filter. */
static inline __attribute__((always_inline)) __u64 prefilter_word(__u32 index);

#define PREFILTER_INLINE static inline __attribute__((always_inline))

PREFILTER_INLINE __u8 pf_u8(const struct prefilter_work *w, __u32 at)
{
	return w->message[at & (PREFILTER_BYTES - 1)];
}

PREFILTER_INLINE __u32 pf_u16(const struct prefilter_work *w, __u32 at)
{
	return (__u32)pf_u8(w, at) << 8 | pf_u8(w, at + 1);
}

/* Nothing is kept in a register from one turn of a loop to the next. */
#define PF_TURN(w) __asm__ volatile("" : : "r"(w) : "memory")

PREFILTER_INLINE __u64 pf_word(const struct prefilter_work *w, __u32 at)
{
	const __u8 *p = &w->message[at & (PREFILTER_BYTES - 1)];
	__u64       v;

#ifdef __bpf__ /* its compiler would take the bytes one by one */
	v = *(const volatile __u64 *)p;
#else
	__builtin_memcpy(&v, p, sizeof(v));
#endif
	return label_word(v);
}

/* Starts reading the label at w->at. Returns 0 when no label starts there, or when there is no room for it. */
PREFILTER_INLINE int pf_begin_label(struct prefilter_work *w, const struct prefilter_rules *r)
{
	__u32 length = pf_u8(w, w->at);

	if (length > 63 || w->labels >= PREFILTER_LABELS - 1 || w->at >= PREFILTER_BYTES - 72)
		return 0;
	w->at++;
	w->left = length;
	w->hash = label_hash_begin(r->seed, length);
	return 1;
}

/* Hashes each label of the question's name, which starts at w->at, and moves w->at past it. Returns 0 when the name has
 * a compression pointer or is too long, or when it has more or longer labels than this function reads. */
PREFILTER_INLINE int pf_labels(struct prefilter_work *w, const struct prefilter_rules *r)
{
	w->left = w->labels = 0;
	for (int i = 0; i < PREFILTER_WORDS; i++) {
		__u32 take;

		PF_TURN(w);
		if (w->left == 0 && !pf_begin_label(w, r))
			return 0;
		if (w->left == 0)
			return w->at <= PREFILTER_HEADER + PREFILTER_NAME; /* the root */
		take = w->left < 8 ? w->left : 8;
		w->hash = label_hash_word(w->hash, label_lower(label_first(pf_word(w, w->at), take)));
		w->at += take;
		w->left -= take;
		if (w->left == 0)
			w->label[w->labels++ & (PREFILTER_LABELS - 1)] = w->hash;
	}
	return 0;
}

/* May the name whose labels were read, or one that it is below, be listed? */
PREFILTER_INLINE int pf_is_candidate(struct prefilter_work *w, const struct prefilter_rules *r)
{
	w->hash = r->seed;
	for (int i = 1; i < PREFILTER_LABELS; i++) {
		__u64 bits;

		PF_TURN(w);
		if (w->labels == 0)
			return 0;
		w->labels--;
		w->hash = name_hash_extend(w->hash, w->label[w->labels & (PREFILTER_LABELS - 1)]);
		bits = filter_bits(w->hash);
		if ((prefilter_word(hash_range(w->hash, r->words)) & bits) == bits)
			return 1;
	}
	return 0;
}

/* Reads the only question; w->at is behind it then. 0: its name may be listed, or it is not plain. */
PREFILTER_INLINE int pf_question(struct prefilter_work *w, const struct prefilter_rules *r)
{
	w->at = PREFILTER_HEADER;
	if (r->words == 0 || !pf_labels(w, r) || w->labels == 0 || pf_is_candidate(w, r))
		return 0;
	w->type = pf_u16(w, w->at);
	w->at += 4;
	return pf_u16(w, w->at - 2) == 1; /* IN */
}

/* Does the message end at w->at, or with nothing but an OPT? */
PREFILTER_INLINE int pf_ends(const struct prefilter_work *w, __u32 length, __u32 additional)
{
	__u32 at = w->at;

	if (additional == 0)
		return at == length;
	return additional == 1 && at + 11 <= length && pf_u8(w, at) == 0 && pf_u16(w, at + 1) == 41 &&
	       at + 11 + pf_u16(w, at + 9) == length;
}

/* A question, its length at most PREFILTER_BYTES. True: it may pass unseen. */
PREFILTER_INLINE int prefilter_question(struct prefilter_work *w, const struct prefilter_rules *r, __u32 length)
{
	if (pf_u16(w, 2) & 0xfa00 /* QR, opcode, TC */ || pf_u16(w, 4) != 1 || pf_u16(w, 6) || pf_u16(w, 8))
		return 0;
	return pf_question(w, r) && pf_ends(w, length, pf_u16(w, 10));
}

/* Reads a record with an address of the question's name at w->at. 0: it is something else, or an address that
 * stands for another one (NAT64, RFC 6052 2.1). */
PREFILTER_INLINE int pf_address(struct prefilter_work *w, const struct prefilter_rules *r, __u32 n)
{
	__u32 at = w->at, size = w->type == 1 ? 4 : 16;
	__u64 a = pf_word(w, at + 12), b = pf_word(w, at + 20);

	if (pf_u16(w, at) != 0xc00c || pf_u16(w, at + 2) != w->type || pf_u16(w, at + 4) != 1 || pf_u16(w, at + 10) != size)
		return 0;
	if (size == 4) {
		a = label_first(a, 4);
		b = 0;
	} else if (label_first(a, 4) == 0x9bff6400) {
		return 0;
	}
	w->guard[n & (PREFILTER_ADDRESSES - 1)] = addr_hash(r->guard_seed, size, a, b);
	w->ttl[n & (PREFILTER_ADDRESSES - 1)] = pf_u16(w, at + 6) << 16 | pf_u16(w, at + 8);
	w->at = at + 12 + size;
	return 1;
}

/* An answer, likewise. True: it may pass unseen, once its w->addresses are guarded. */
PREFILTER_INLINE int prefilter_answer(struct prefilter_work *w, const struct prefilter_rules *r, __u32 length)
{
	w->addresses = pf_u16(w, 6);
	if ((pf_u16(w, 2) & 0xfa00) != 0x8000 || pf_u16(w, 4) != 1 || w->addresses > PREFILTER_ADDRESSES || pf_u16(w, 8) ||
	    !r->answers)
		return 0;
	if (!pf_question(w, r) || (w->type != 1 && w->type != 28))
		return 0;
	for (__u32 i = 0; i < PREFILTER_ADDRESSES; i++) {
		PF_TURN(w);
		if (i >= w->addresses)
			break;
		if (w->at > PREFILTER_BYTES - 32 || !pf_address(w, r, i))
			return 0;
	}
	return pf_ends(w, length, pf_u16(w, 10));
}

/* Until when an address is guarded, in seconds: as match/watch.c has it. */
PREFILTER_INLINE __u32 prefilter_until(__u32 now, __u32 ttl)
{
	return now + (ttl < 60 ? 60 : ttl > 86400 ? 86400 : ttl);
}

#endif
