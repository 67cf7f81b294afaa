#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

enum status command_print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ? STATUS_FAILED : STATUS_OK;
}

void command_usage(const char *program, const char *format, const char *what)
{
	fprintf(stderr, "%s: ", program);
	fprintf(stderr, format, what);
	fprintf(stderr, "; %s --help shows the usage\n", program);
}

enum status command_usage_hint(const char *program)
{
	fprintf(stderr, "%s --help shows the usage\n", program);
	return STATUS_USAGE;
}

bool command_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *value >= least &&
	       *value <= most;
}

/* The journal names the stream that it has given: systemd.exec(5), $JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device;
	unsigned long long inode;
	struct stat file;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &file) == 0 && file.st_dev == device && file.st_ino == inode;
}

const char *command_level(enum command_level level)
{
	if (!stderr_is_journal())
		return "";
	return level == COMMAND_ERROR ? "<3>" : "<4>";
}

void command_write_safely(FILE *stream, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if ((byte < 0x20 && byte != '\n') || byte == 0x7f)
			fprintf(stream, "\\x%02x", byte);
		else
			putc(byte, stream);
		/* A priority counts at the begin of any line, and is not a name's to give. */
		if (byte == '\n' && text[1] == '<' && stream == stderr && stderr_is_journal())
			putc(' ', stream);
	}
}

void command_keep_memory(void)
{
#ifdef __GLIBC__
	enum { TRIM = 128 << 20, MMAP = 32 << 20 };

	/* A setting that is refused leaves the usual one. */
	mallopt(M_TRIM_THRESHOLD, TRIM);
	mallopt(M_MMAP_THRESHOLD, MMAP);
#endif
}

enum status command_flush(struct message *message)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return STATUS_OK;
	return message_set(message, STATUS_FAILED, "standard output: %s", strerror(errno));
}

size_t command_terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	uint64_t number;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return columns && command_number(columns, 1, 10000, &number) ? (size_t)number : 80;
}

void command_handle_signals(void (*stop)(int signal_number))
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGXFSZ, SIG_IGN);
}
