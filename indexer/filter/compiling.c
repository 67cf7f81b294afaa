#include "compiling.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libpcap_copy.h"
#include "libpcap_heap.h"

enum {
	SNAP_LENGTH = 65535,
	SAVEFILE_NETMASK = 0,
	/*
	 * Expressions up to this many bytes compile at once, on any stack: the generator
	 * calls itself for every block, of which "net 1 or 2 or 3" has one in three bytes.
	 */
	DIRECT_EXPRESSION_MAX = 128,
	COMPILE_SECONDS = 30, /* of processor time */
	COMPILE_BYTES = 1 << 30,
	STACK_BYTES = 1 << 26, /* of which only what is used is taken */
	ASK_NANOSECONDS = 5000000,
};

/* One expression on its way. */
struct compiling {
	const char *expression;
	bool optimise;
	struct libpcap_heap heap;
	enum libpcap_end end;
	pcap_t *pcap;
	struct bpf_program code;
	bool compiles;

	/* Of a thread of its own. */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended;
	atomic_bool stop;
};

/* What a system without the lists of names is told, which on Debian are a package of their own. */
static const char *names_hint(const char *error)
{
	static const struct {
		const char *begins;
		const char *list;
		const char *hint;
	} lists[] = {
#define NAMES_HINT(list)                                                                           \
	" (there is no " list " here, which has such names: apt-get install netbase)"
		{"unknown port ", "/etc/services", NAMES_HINT("/etc/services")},
		{"unknown protocol", "/etc/protocols", NAMES_HINT("/etc/protocols")},
		{"unknown ip proto ", "/etc/protocols", NAMES_HINT("/etc/protocols")},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (strncmp(error, lists[i].begins, strlen(lists[i].begins)) == 0 &&
		    access(lists[i].list, R_OK) != 0)
			return lists[i].hint;
	return "";
}

static void libpcap_run(void *context)
{
	struct compiling *compiling = context;

	compiling->pcap = copied_pcap_open_dead(DLT_RAW, SNAP_LENGTH);
	compiling->compiles =
		copied_pcap_compile(compiling->pcap, &compiling->code, compiling->expression,
				    compiling->optimise, SAVEFILE_NETMASK) == 0;
}

static void *thread_run(void *context)
{
	struct compiling *compiling = context;

	compiling->end = libpcap_heap_run(&compiling->heap, libpcap_run, compiling);
	pthread_mutex_lock(&compiling->lock);
	compiling->has_ended = true;
	pthread_cond_signal(&compiling->ended);
	pthread_mutex_unlock(&compiling->lock);
	return NULL;
}

/* Waits for the thread, and asks every few milliseconds whether to. */
static void thread_wait(struct compiling *compiling, const struct program_bounds *bounds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&compiling->lock);
	while (!compiling->has_ended) {
		until.tv_nsec += ASK_NANOSECONDS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		if (pthread_cond_timedwait(&compiling->ended, &compiling->lock, &until) == 0)
			continue;
		pthread_mutex_unlock(&compiling->lock);
		if (bounds && stop_asked(bounds->stop))
			atomic_store(&compiling->stop, true);
		pthread_mutex_lock(&compiling->lock);
	}
	pthread_mutex_unlock(&compiling->lock);
}

/* Starts the thread, on which no signal of the host's is handled. Returns an errno. */
static int thread_start(struct compiling *compiling, pthread_t *thread)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int code = pthread_attr_init(&attributes);

	if (code != 0)
		return code;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (code == 0)
		code = pthread_create(thread, &attributes, thread_run, compiling);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return code;
}

static enum status run_on_thread(struct compiling *compiling, const struct program_bounds *bounds,
				 struct message *message)
{
	pthread_condattr_t clock;
	pthread_t thread;
	int code = pthread_condattr_init(&clock);

	if (code == 0) {
		pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
		code = pthread_cond_init(&compiling->ended, &clock);
		pthread_condattr_destroy(&clock);
	}
	if (code != 0)
		return message_set(message, STATUS_FAILED, "a condition: %s", strerror(code));
	pthread_mutex_init(&compiling->lock, NULL);
	compiling->heap.stop = &compiling->stop;
	code = thread_start(compiling, &thread);
	if (code == 0) {
		thread_wait(compiling, bounds);
		pthread_join(thread, NULL);
	}
	pthread_cond_destroy(&compiling->ended);
	pthread_mutex_destroy(&compiling->lock);
	/* EAGAIN is no memory for its stack, or too many threads. */
	return code == 0 ? STATUS_OK
			 : message_wrap(message, STATUS_FAILED, MESSAGE_CODE_NOMEM,
					"cannot start a thread to compile the expression: %s",
					strerror(code));
}

/* libpcap's words for it, of what it allocates outside its heap. */
static bool is_out_of_memory(const char *error)
{
	return strcmp(error, "out of memory") == 0 || strcmp(error, "not enough core") == 0 ||
	       strcmp(error, "memory exhausted") == 0 || strncmp(error, "malloc", 6) == 0;
}

static enum status program_copy(const struct bpf_program *code, struct program *program,
				struct message *message)
{
	program->instructions = malloc(code->bf_len * sizeof(*program->instructions));
	if (!program->instructions)
		return message_out_of_memory(message);
	memcpy(program->instructions, code->bf_insns,
	       code->bf_len * sizeof(*program->instructions));
	program->length = code->bf_len;
	return STATUS_OK;
}

static enum status too_long(struct message *message)
{
	return message_set(message, STATUS_USAGE,
			   "libpcap cannot compile the expression within %d seconds and %d MiB; "
			   "split it into several filters",
			   COMPILE_SECONDS, COMPILE_BYTES >> 20);
}

static enum status result_take(struct compiling *compiling, struct program *program,
			       struct message *message)
{
	const char *error;

	switch (compiling->end) {
	case LIBPCAP_DONE:
		if (compiling->compiles)
			return program_copy(&compiling->code, program, message);
		error = copied_pcap_geterr(compiling->pcap);
		return is_out_of_memory(error) ? message_out_of_memory(message)
					       : message_set(message, STATUS_USAGE, "%s%s", error,
							     names_hint(error));
	case LIBPCAP_NO_MEMORY:
		return message_out_of_memory(message);
	case LIBPCAP_TOO_LARGE:
		if (compiling->heap.bytes < COMPILE_BYTES)
			return message_out_of_memory(message);
		return too_long(message);
	case LIBPCAP_STOPPED:
		return message_wrap(message, STATUS_FAILED, MESSAGE_CODE_INTERRUPT, "interrupted");
	default:
		return too_long(message);
	}
}

enum status compiling_run(const char *expression, bool optimise,
			  const struct program_bounds *bounds, struct program *program,
			  struct message *message)
{
	struct compiling compiling = {
		.expression = expression,
		.optimise = optimise,
		.heap = {.bytes = bounds && bounds->bytes && bounds->bytes < COMPILE_BYTES
					  ? bounds->bytes
					  : (size_t)COMPILE_BYTES,
			 .seconds =
				 bounds && bounds->seconds > 0 ? bounds->seconds : COMPILE_SECONDS},
	};
	enum status status = STATUS_OK;

	*program = (struct program){0};
	if (strlen(expression) > DIRECT_EXPRESSION_MAX)
		status = run_on_thread(&compiling, bounds, message);
	else
		compiling.end = libpcap_heap_run(&compiling.heap, libpcap_run, &compiling);
	if (status == STATUS_OK)
		status = result_take(&compiling, program, message);
	libpcap_heap_free(&compiling.heap);
	return status;
}
