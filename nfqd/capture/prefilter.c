/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the BPF programs (prefilter.bpf.c), by libbpf. Without libbpf and clang at build time there are none. */
#include "capture/prefilter.h"

#ifndef NFQD_WITHOUT_PREFILTER

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/recent.h"
#include "capture/prefilter_rules.h"

_Static_assert(sizeof(struct recent) == PREFILTER_GUARDED * sizeof(uint64_t), "the guard's places");

extern const char prefilter_object[], prefilter_object_end[];

#define ALIVE (2 * NS_PER_S) /* twice the time from one prefilter_tell_time() to the next */

/* An array in the kernel that this process sees as memory. */
struct mapped {
	int    fd;
	void  *memory;
	size_t size;
};

struct prefilter {
	uint64_t           guard_seed, generation;
	struct mapped      guarded, told; /* they stay when the programs change */
	struct bpf_object *object;         /* NULL: none is loaded */
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static bool map_memory(struct mapped *m, int fd, uint32_t entries)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	m->fd = fd;
	m->size = (entries * sizeof(uint64_t) + page - 1) / page * page;
	m->memory = fd < 0 ? MAP_FAILED : mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m->memory != MAP_FAILED)
		return true;
	m->memory = NULL;
	return false;
}

static bool make_array(struct mapped *m, const char *name, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	return map_memory(m, bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), sizeof(uint64_t), entries, &opts),
	                  entries);
}

static void unmap(struct mapped *m)
{
	if (m->memory)
		munmap(m->memory, m->size);
	if (m->fd >= 0)
		close(m->fd);
}

struct prefilter *prefilter_new(uint64_t guard_seed, struct err *err)
{
	struct prefilter *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(err, "out of memory"), NULL;
	libbpf_set_print(quiet);
	p->guard_seed = guard_seed;
	p->told.fd = -1;
	if (make_array(&p->guarded, "nfqd_guarded", PREFILTER_GUARDED) && make_array(&p->told, "nfqd_told", PREFILTER_TOLD)) {
		prefilter_tell_time(p);
		return p;
	}
	err_set(err, "this kernel gives no BPF map: %s%s", strerror(errno), errno == EPERM ?
	        " (CAP_BPF and CAP_PERFMON are needed; nfqd(8), PREFILTER, has the lines for the unit)" : "");
	prefilter_free(p);
	return NULL;
}

void prefilter_free(struct prefilter *p)
{
	if (!p)
		return;
	bpf_object__close(p->object);
	unmap(&p->guarded);
	unmap(&p->told);
	free(p);
}

struct recent *prefilter_guarded(const struct prefilter *p)
{
	return p->guarded.memory;
}

static int reuse(struct bpf_object *o, const char *name, const struct mapped *m)
{
	struct bpf_map *map = bpf_object__find_map_by_name(o, name);

	return map ? bpf_map__reuse_fd(map, m->fd) : -ENOENT;
}

/* What the programs take for constants. */
static int set_rules(struct bpf_object *o, const struct prefilter *p, const struct prefilter_names *names)
{
	struct prefilter_rules rules = { .seed = names->seed, .guard_seed = p->guard_seed, .words = names->n,
		                         .answers = names->answers, .generation = p->generation };
	struct bpf_map        *map;

	bpf_object__for_each_map(map, o)
		if (strstr(bpf_map__name(map), ".rodata"))
			return bpf_map__set_initial_value(map, &rules, sizeof(rules));
	return -ENOENT;
}

static int fill_filter(struct bpf_object *o, const struct prefilter_names *names)
{
	struct mapped m;
	int           fd = dup(bpf_object__find_map_fd_by_name(o, "filter"));

	if (!map_memory(&m, fd, names->n)) {
		unmap(&m);
		return -errno;
	}
	memcpy(m.memory, names->words, names->n * sizeof(*names->words));
	unmap(&m);
	return 0;
}

/* An object with everything in it, or NULL with errno. */
static struct bpf_object *load(const struct prefilter *p, const struct prefilter_names *names)
{
	struct bpf_object *o =
		bpf_object__open_mem(prefilter_object, (size_t)(prefilter_object_end - prefilter_object), NULL);
	struct bpf_map    *filter = o ? bpf_object__find_map_by_name(o, "filter") : NULL;
	int                r = filter ? bpf_map__set_max_entries(filter, names->n) : -EINVAL;

	if (r == 0)
		r = set_rules(o, p, names);
	if (r == 0)
		r = reuse(o, "guarded", &p->guarded);
	if (r == 0)
		r = reuse(o, "told", &p->told);
	if (r == 0)
		r = bpf_object__load(o);
	if (r == 0)
		r = fill_filter(o, names);
	if (r == 0)
		return o;
	bpf_object__close(o);
	errno = -r;
	return NULL;
}

void prefilter_silence(struct prefilter *p)
{
	((volatile uint64_t *)p->told.memory)[PREFILTER_GENERATION] = ++p->generation;
}

int prefilter_load(struct prefilter *p, const struct prefilter_names *names, struct err *err)
{
	struct bpf_object *o = load(p, names);

	if (!o)
		return err_set(err, "this kernel does not take the BPF programs: %s", strerror(errno));
	bpf_object__close(p->object);
	p->object = o;
	return 0;
}

void prefilter_programs(const struct prefilter *p, int out[static PREFILTER_PROGRAMS])
{
	static const char *const names[PREFILTER_PROGRAMS] = { "question", "answer" };

	for (unsigned i = 0; i < PREFILTER_PROGRAMS; i++) {
		struct bpf_program *program =
			p->object ? bpf_object__find_program_by_name(p->object, names[i]) : NULL;

		out[i] = program ? bpf_program__fd(program) : -1;
	}
}

void prefilter_tell_time(struct prefilter *p)
{
	volatile uint64_t *told = p->told.memory;
	uint64_t           now = clock_monotonic();

	told[PREFILTER_TIME_OF_DAY] = clock_now() - now;
	told[PREFILTER_UNTIL] = now + ALIVE;
}

#else

struct prefilter *prefilter_new(uint64_t guard_seed, struct err *err)
{
	(void)guard_seed;
	err_set(err, "this nfqd was built without libbpf and clang");
	return NULL;
}

void prefilter_free(struct prefilter *p)
{
	(void)p;
}

struct recent *prefilter_guarded(const struct prefilter *p)
{
	(void)p;
	return NULL;
}

void prefilter_silence(struct prefilter *p)
{
	(void)p;
}

int prefilter_load(struct prefilter *p, const struct prefilter_names *names, struct err *err)
{
	(void)p;
	(void)names;
	return err_set(err, "this nfqd was built without libbpf and clang");
}

void prefilter_programs(const struct prefilter *p, int out[static PREFILTER_PROGRAMS])
{
	(void)p;
	for (unsigned i = 0; i < PREFILTER_PROGRAMS; i++)
		out[i] = -1;
}

void prefilter_tell_time(struct prefilter *p)
{
	(void)p;
}

#endif
