#include "program.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/platform.h"
#include "compiling.h"
#include "libpcap_copy.h"

enum {
	/* The optimiser is trusted with less, and not asked about more bytes than these. */
	OPTIMISED_EXPRESSION_MAX = 2048,
	OPTIMISE_SECONDS = 2, /* of processor time; of the clock, twice as many */
	OPTIMISE_MEGABYTES = 1024,
	PROGRAM_INSTRUCTIONS_MAX = 1 << 20,
};

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SPACE_LIMITED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SPACE_LIMITED 0
#endif
#endif
#ifndef ADDRESS_SPACE_LIMITED
#define ADDRESS_SPACE_LIMITED 1
#endif

enum status program_compile_directly(const char *expression, bool optimise, struct program *program,
				     struct message *message)
{
	return compiling_run(expression, optimise, NULL, program, message);
}

/* What a child that optimises sends: this, then length instructions. */
struct reply {
	enum status status;
	struct message message;
	size_t length;
};

static bool write_all(int descriptor, const void *bytes, size_t length)
{
	const char *next = bytes;

	while (length > 0) {
		ssize_t written = write(descriptor, next, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		next += written;
		length -= (size_t)written;
	}
	return true;
}

/* Also false where nothing comes in time. */
static bool read_all(int descriptor, void *bytes, size_t length)
{
	char *next = bytes;

	while (length > 0) {
		struct pollfd ready = {.fd = descriptor, .events = POLLIN};
		int events = poll(&ready, 1, 2 * OPTIMISE_SECONDS * 1000);
		ssize_t got;

		if (events < 0 && errno == EINTR)
			continue;
		if (events <= 0)
			return false;
		got = read(descriptor, next, length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		next += got;
		length -= (size_t)got;
	}
	return true;
}

/*
 * The child keeps nothing of its parent's but the pipe, which becomes descriptor 0:
 * a lock on a file would last as long as the child, and so would a reader's wait for
 * the end of what a killed parent printed. And it ends with its parent.
 */
static void child_confine(int descriptor, pid_t parent)
{
	if (!platform_end_with(parent) || dup2(descriptor, STDIN_FILENO) < 0)
		_exit(1);
	platform_descriptors_close(STDIN_FILENO + 1);
}

static void child_optimise(const char *expression, int descriptor)
{
	const rlim_t bytes = (rlim_t)platform_address_space() + ((rlim_t)OPTIMISE_MEGABYTES << 20);
	struct rlimit processor = {.rlim_cur = OPTIMISE_SECONDS, .rlim_max = OPTIMISE_SECONDS};
	struct rlimit memory = {.rlim_cur = bytes, .rlim_max = bytes};
	struct rlimit core = {.rlim_cur = 0, .rlim_max = 0};
	struct program program;
	struct reply reply = {0};

	setrlimit(RLIMIT_CPU, &processor);
	setrlimit(RLIMIT_CORE, &core);
	if (ADDRESS_SPACE_LIMITED)
		setrlimit(RLIMIT_AS, &memory);
	reply.status = program_compile_directly(expression, true, &program, &reply.message);
	reply.length = program.length;
	if (write_all(descriptor, &reply, sizeof(reply)) && reply.status == STATUS_OK)
		write_all(descriptor, program.instructions,
			  program.length * sizeof(*program.instructions));
	_exit(0);
}

/* Reads the child's reply. *finished stays false where the child died before its end. */
static enum status reply_read(int descriptor, struct program *program, bool *finished,
			      struct message *message)
{
	struct reply reply;

	*finished = false;
	if (!read_all(descriptor, &reply, sizeof(reply)))
		return STATUS_OK;
	if (reply.status != STATUS_OK) {
		*finished = true;
		*message = reply.message;
		return reply.status;
	}
	if (reply.length == 0 || reply.length > PROGRAM_INSTRUCTIONS_MAX)
		return STATUS_OK;
	program->instructions = malloc(reply.length * sizeof(*program->instructions));
	if (!program->instructions)
		return message_out_of_memory(message);
	program->length = reply.length;
	*finished = read_all(descriptor, program->instructions,
			     reply.length * sizeof(*program->instructions));
	if (!*finished)
		program_free(program);
	return STATUS_OK;
}

static enum status optimise_in_child(const char *expression, struct program *program,
				     bool *finished, struct message *message)
{
	const pid_t parent = getpid();
	int ends[2];
	enum status status;
	pid_t child;

	*program = (struct program){0};
	if (pipe(ends) != 0)
		return message_set(message, STATUS_FAILED, "pipe: %s", strerror(errno));
	child = fork();
	if (child < 0) {
		status = message_set(message, STATUS_FAILED, "fork: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return status;
	}
	if (child == 0) {
		child_confine(ends[1], parent);
		child_optimise(expression, STDIN_FILENO);
	}
	close(ends[1]);
	status = reply_read(ends[0], program, finished, message);
	close(ends[0]);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

enum status program_compile(const char *expression, struct program *program,
			    struct message *message)
{
	return program_compile_bounded(expression, NULL, program, message);
}

enum status program_compile_bounded(const char *expression, const struct program_bounds *bounds,
				    struct program *program, struct message *message)
{
	const size_t length = strlen(expression);

	*program = (struct program){0};
	if (length > PROGRAM_EXPRESSION_MAX)
		return message_set(message, STATUS_USAGE,
				   "the expression has %zu bytes; the limit is %d", length,
				   PROGRAM_EXPRESSION_MAX);
	return compiling_run(expression, false, bounds, program, message);
}

enum status program_compile_optimised(const char *expression, struct program *program, bool *done,
				      struct message *message)
{
	const size_t length = strlen(expression);
	enum status status;

	*program = (struct program){0};
	*done = false;
	if (length > OPTIMISED_EXPRESSION_MAX)
		return STATUS_OK;
	if (length > PROGRAM_OPTIMISED_DIRECT_MAX)
		status = optimise_in_child(expression, program, done, message);
	else
		status = program_compile_directly(expression, true, program, message);
	*done = status == STATUS_OK && program->instructions;
	return status == STATUS_FAILED ? STATUS_FAILED : STATUS_OK;
}

bool program_matches(const struct program *program, const uint8_t *header, uint32_t wire,
		     uint32_t captured)
{
	return copied_bpf_filter(program->instructions, header, wire, captured) != 0;
}

const struct program *program_never(void)
{
	static struct bpf_insn reject = BPF_STMT(BPF_RET | BPF_K, 0);
	static const struct program never = {.instructions = &reject, .length = 1};

	return &never;
}

void program_free(struct program *program)
{
	free(program->instructions);
	*program = (struct program){0};
}
