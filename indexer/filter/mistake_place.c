#include "mistake_place.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host_name_guard.h"
#include "program.h"

/* What people type: a longer expression takes longer to compile so many times than it helps. */
enum { SEARCHED_MAX = 512, CLOSING_MAX = 64 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_of_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '_' || c == '.' || c == ':';
}

/* True and *place for the first word that the message has in quotes and the expression too. */
static bool quoted_find(const char *expression, const struct message *cause, size_t *place)
{
	const char *quote = strchr(cause->text, '\'');
	const char *end = quote ? strchr(quote + 1, '\'') : NULL;
	char word[128];
	const char *found;

	if (!end || end == quote + 1 || (size_t)(end - quote) > sizeof(word))
		return false;
	memcpy(word, quote + 1, (size_t)(end - quote - 1));
	word[end - quote - 1] = '\0';
	for (found = strstr(expression, word); found; found = strstr(found + 1, word)) {
		*place = (size_t)(found - expression);
		if ((*place == 0 || !is_of_word(found[-1])) && !is_of_word(found[strlen(word)]))
			return true;
	}
	return false;
}

/* True and *place for the bytes, tcp[13, that a filter was refused for, where it writes them so. */
static bool bytes_find(const char *expression, const struct message *cause, size_t *place)
{
	static const char introduction[] = "the answer depends on ";
	const char *bytes = cause->text + strlen(introduction);
	char word[32];
	size_t length;
	const char *found;

	if (strncmp(cause->text, introduction, strlen(introduction)) != 0)
		return false;
	length = strcspn(bytes, "]:,");
	if (length >= sizeof(word) || !memchr(bytes, '[', length))
		return false;
	memcpy(word, bytes, length);
	word[length] = '\0';
	found = strstr(expression, word);
	if (found)
		*place = (size_t)(found - expression);
	return found != NULL;
}

static bool compiles(const char *expression)
{
	struct program program;
	struct message ignored;
	const bool done = program_compile(expression, &program, &ignored) == STATUS_OK;

	program_free(&program);
	return done;
}

/* True if the first length bytes can be gone on with to a filter, in one of the usual ways. */
static bool is_beginning(const char *expression, size_t length)
{
	static const char *const nexts[] = {"", " ip", " 1", " 1.2.3.4", " port 1", " 1-2"};
	static const char *const ends[] = {"", " = 0", "] = 0"};
	char closing[CLOSING_MAX + 1] = "";
	size_t open = 0;

	for (size_t i = 0; i < length; i++) {
		open += expression[i] == '(';
		open -= expression[i] == ')' && open > 0;
	}
	if (open > CLOSING_MAX)
		return false;
	memset(closing, ')', open);
	for (size_t i = 0; i < sizeof(nexts) / sizeof(*nexts); i++)
		for (size_t j = 0; j < sizeof(ends) / sizeof(*ends); j++) {
			char text[SEARCHED_MAX + CLOSING_MAX + 32];

			snprintf(text, sizeof(text), "%.*s%s%s%s", (int)length, expression,
				 nexts[i], closing, ends[j]);
			if (compiles(text))
				return true;
		}
	return false;
}

/* Behind the word, or the parenthesis, that begins at `at` or behind blanks there. */
static size_t word_end(const char *expression, size_t at)
{
	while (is_blank(expression[at]))
		at++;
	if (expression[at] == '(' || expression[at] == ')')
		return at + 1;
	while (expression[at] && !is_blank(expression[at]) && expression[at] != '(' &&
	       expression[at] != ')')
		at++;
	return at;
}

/* The first word behind the longest part that begins a filter: of what does, every part does. */
static size_t wrong_word_find(const char *expression)
{
	size_t place = 0;

	for (size_t end = 0; expression[end];) {
		end = word_end(expression, end);
		if (is_beginning(expression, end))
			place = end;
	}
	while (is_blank(expression[place]))
		place++;
	return place;
}

bool mistake_place_find(const char *expression, const struct message *cause, size_t *place)
{
	struct message guarded;

	if (quoted_find(expression, cause, place) || bytes_find(expression, cause, place))
		return true;
	if (host_name_guard_check(expression, &guarded) != STATUS_OK)
		return quoted_find(expression, &guarded, place);
	if (strlen(expression) > SEARCHED_MAX || compiles(expression))
		return false;
	*place = wrong_word_find(expression);
	return true;
}
