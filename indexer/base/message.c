#include "message.h"

#include <stdarg.h>
#include <stdio.h>

enum status message_set(struct message *message, enum status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message->text, sizeof(message->text), format, arguments);
	va_end(arguments);
	message->code = 0;
	return status;
}

enum status message_wrap(struct message *message, enum status status, int code, const char *format,
			 ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message->text, sizeof(message->text), format, arguments);
	va_end(arguments);
	message->code = code;
	return status;
}
