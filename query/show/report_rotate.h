/* Earlier reports, kept beside the new one as FILE.1, the last one, to FILE.N. */
#ifndef CONNBITS_SHOW_REPORT_ROTATE_H
#define CONNBITS_SHOW_REPORT_ROTATE_H

#include <stdint.h>

#include "base/message.h"

enum { REPORTS_KEPT_MAX = 999 };

/*
 * Moves the reports of that name on by one, of which `keep` are kept, and none where that is 0:
 * beside the file that a symbolic link leads to. FILE itself stays until another one takes its
 * place. STATUS_USAGE, with nothing moved, where one of the names is that of the log or the index.
 */
enum status report_rotate(const char *path, uint64_t keep, const char *log_path,
			  const char *index_path, struct message *message);

#endif
