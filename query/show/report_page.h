/*
 * What connbits-query --report writes: a morning as one page of HTML with inline SVG. It asks for
 * nothing else, has no script, follows the reader's choice of light or dark, and prints.
 */
#ifndef CONNBITS_SHOW_REPORT_PAGE_H
#define CONNBITS_SHOW_REPORT_PAGE_H

#include <stdio.h>

#include "base/message.h"
#include "summary_print.h"

enum status report_page_write(const struct morning_view *view, FILE *stream,
			      struct message *message);

#endif
