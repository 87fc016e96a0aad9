/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's half of the prefilter: two socket filters, called by the xt match `bpf` in the rules that would
 * queue a resolver's datagrams. 1: the datagram passes. prefilter_read.h says what is read.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "capture/prefilter_read.h"

#define ARRAY(name, entries, flags)                                                                \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, entries);                                                      \
		__uint(map_flags, flags);                                                          \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
	} name SEC(".maps")

ARRAY(filter, 1, BPF_F_MMAPABLE);                   /* as many as the ruleset's */
ARRAY(guarded, PREFILTER_GUARDED, BPF_F_MMAPABLE);  /* struct recent: the worker reads and writes it, too */
ARRAY(told, PREFILTER_TOLD, BPF_F_MMAPABLE);        /* by the daemon: enum prefilter_told */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct prefilter_work);
} work SEC(".maps");

const volatile struct prefilter_rules rules = { 0 };

static inline __attribute__((always_inline)) __u64 prefilter_word(__u32 index)
{
	const __u64 *word = bpf_map_lookup_elem(&filter, &index);

	return word ? *word : ~0ULL;
}

/* Copies the datagram's payload and returns its length. 0: the packet is not plain, the datagram is not whole, it is
 * several in one (UDP_SEGMENT, GRO), or it is longer than PREFILTER_BYTES. */
static inline __attribute__((always_inline)) __u32 take(struct __sk_buff *skb, struct prefilter_work *w)
{
	__u8  ip[48];
	__u32 head, length, all;

	if (skb->gso_size || skb->len < 28 + PREFILTER_HEADER || bpf_skb_load_bytes(skb, 0, ip, 28) < 0)
		return 0;
	if (ip[0] == 0x45) { /* without options, whole */
		if ((ip[6] & 0x3f) | ip[7] || ip[9] != 17)
			return 0;
		all = (__u32)ip[2] << 8 | ip[3];
		length = (__u32)ip[24] << 8 | ip[25];
		head = 28;
	} else if (ip[0] >> 4 == 6) {
		if (ip[6] != 17 || skb->len < 48 + PREFILTER_HEADER || bpf_skb_load_bytes(skb, 40, ip + 40, 8) < 0)
			return 0;
		all = ((__u32)ip[4] << 8 | ip[5]) + 40;
		length = (__u32)ip[44] << 8 | ip[45];
		head = 48;
	} else {
		return 0;
	}
	if (all != skb->len || length + head - 8 != all)
		return 0;
	length -= 8;
	if (length < PREFILTER_HEADER + 5 || length > PREFILTER_BYTES)
		return 0;
	return bpf_skb_load_bytes(skb, head, w->message, length) < 0 ? 0 : length;
}

static inline __attribute__((always_inline)) __u64 look_up(__u32 which)
{
	const __u64 *value = bpf_map_lookup_elem(&told, &which);

	return value ? *value : 0;
}

static inline __attribute__((always_inline)) int is_in_force(__u64 monotonic)
{
	return look_up(PREFILTER_GENERATION) == rules.generation && monotonic <= look_up(PREFILTER_UNTIL);
}

/*
 * What a local program sends is read in the program's own time, which a packet that comes in may interrupt on the same
 * processor, and another program, where the kernel is preemptible. The second one finds the memory taken and is queued.
 */
static inline __attribute__((always_inline)) struct prefilter_work *begin(void)
{
	__u32                  zero = 0;
	struct prefilter_work *w = bpf_map_lookup_elem(&work, &zero);

	return w && __sync_lock_test_and_set(&w->taken, 1) == 0 ? w : 0;
}

static inline __attribute__((always_inline)) int end(struct prefilter_work *w, int passes)
{
	__sync_lock_test_and_set(&w->taken, 0);
	return passes;
}

SEC("socket")
int question(struct __sk_buff *skb)
{
	struct prefilter_rules r = { rules.seed, rules.guard_seed, rules.words, rules.answers, 0 };
	struct prefilter_work *w;
	__u32                  length;

	if (!is_in_force(bpf_ktime_get_ns()))
		return 0;
	w = begin();
	if (!w)
		return 0;
	length = take(skb, w);
	return end(w, length && prefilter_question(w, &r, length));
}

SEC("socket")
int answer(struct __sk_buff *skb)
{
	__u64                  monotonic = bpf_ktime_get_ns();
	struct prefilter_rules r = { rules.seed, rules.guard_seed, rules.words, rules.answers, 0 };
	struct prefilter_work *w;
	__u32                  length, now;

	if (!is_in_force(monotonic))
		return 0;
	w = begin();
	if (!w)
		return 0;
	length = take(skb, w);
	if (!length || !prefilter_answer(w, &r, length))
		return end(w, 0);
	now = (__u32)((monotonic + look_up(PREFILTER_TIME_OF_DAY)) / 1000000000);
	for (__u32 i = 0; i < PREFILTER_ADDRESSES; i++) {
		__u64  hash = w->guard[i];
		__u32  place = hash_range(hash, PREFILTER_GUARDED);
		__u64 *slot;

		if (i >= w->addresses)
			break;
		slot = bpf_map_lookup_elem(&guarded, &place);
		if (slot)
			*slot = hash << 32 | prefilter_until(now, w->ttl[i]);
	}
	return end(w, 1);
}

char prefilter_license[] SEC("license") = "GPL";
