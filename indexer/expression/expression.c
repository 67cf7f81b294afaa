#include "expression.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "time_text.h"

enum token {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_FILTER, /* at the brace; length is that of both braces and what is between */
	TOKEN_SINCE,  /* with the time behind it */
	TOKEN_BEFORE,
	TOKEN_SOURCE, /* with `in` and the set's name behind it */
	TOKEN_DESTINATION,
	TOKEN_HOST,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

struct expression_parser {
	const char *text;
	struct expression *expression;
	struct message *message;
	enum token token;
	size_t at; /* where the token starts */
	size_t length;
	size_t word_at; /* where the time or the set's name starts, up to the token's end */
	size_t nesting;
	size_t stack; /* bitmaps on the stack after the steps so far */
};

enum { EXCERPT = 60 };

enum status expression_error(const char *text, size_t at, struct message *message,
			     const char *format, ...)
{
	size_t length = strlen(text);
	size_t start = at > EXCERPT / 2 ? at - EXCERPT / 2 : 0;
	char what[512];
	char shown[EXCERPT + 1];
	size_t columns = 0;
	size_t count = 0;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	/* Not from the middle of a UTF-8 sequence. */
	while (start > 0 && ((unsigned char)text[start] & 0xc0) == 0x80)
		start--;
	for (size_t i = start; i < length && count < EXCERPT; i++) {
		const unsigned char byte = (unsigned char)text[i];
		const bool control = byte < 0x20 || byte == 0x7f;

		shown[count] = text[i];
		if (control)
			shown[count] = ' ';
		count++;
		columns += i < at && (byte & 0xc0) != 0x80;
	}
	shown[count] = '\0';
	return message_set(message, STATUS_USAGE, "%s\n  %s\n  %*s^", what, shown, (int)columns,
			   "");
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_rest(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct keyword {
	const char *word;
	enum token token;
};

/* The token of a word in any case; TOKEN_NAME where it is none of count keywords. */
static enum token keyword_find(const struct keyword *keywords, size_t count, const char *word,
			       size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(keywords[i].word) == length &&
		    strncasecmp(word, keywords[i].word, length) == 0)
			return keywords[i].token;
	return TOKEN_NAME;
}

static enum token word_token(const char *word, size_t length)
{
	static const struct keyword keywords[] = {
		{"and", TOKEN_AND}, {"or", TOKEN_OR}, {"not", TOKEN_NOT}};

	return keyword_find(keywords, 3, word, length);
}

/* The same for words that count only ahead of a time. */
static enum token time_word(const char *word, size_t length)
{
	static const struct keyword keywords[] = {{"since", TOKEN_SINCE}, {"before", TOKEN_BEFORE}};

	return keyword_find(keywords, 2, word, length);
}

bool expression_is_operator(const char *word, size_t length)
{
	return word_token(word, length) != TOKEN_NAME;
}

static size_t time_length(const char *text)
{
	size_t length = 0;

	while (is_name_rest(text[length]) || text[length] == ':' || text[length] == '+')
		length++;
	return length;
}

/* `since` and `before` are words only ahead of a digit or a sign, which begins no name. */
static void token_time(struct expression_parser *parser)
{
	const char *start = parser->text + parser->at;
	const enum token word = time_word(start, parser->length);
	const char *time = start + parser->length;

	while (is_space(*time))
		time++;
	if (word == TOKEN_NAME || !strchr("0123456789+-", *time) || *time == '\0')
		return;
	parser->token = word;
	parser->word_at = (size_t)(time - parser->text);
	parser->length = (size_t)(time - start) + time_length(time);
}

/* The same for words that count only ahead of `in` and a name. */
static enum token end_word(const char *word, size_t length)
{
	static const struct keyword keywords[] = {
		{"src", TOKEN_SOURCE}, {"dst", TOKEN_DESTINATION}, {"host", TOKEN_HOST}};

	return keyword_find(keywords, 3, word, length);
}

static const char *spaces_skip(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* `src`, `dst` and `host` are words only ahead of `in` and a name. */
static void token_set(struct expression_parser *parser)
{
	const char *start = parser->text + parser->at;
	const enum token word = end_word(start, parser->length);
	const char *in = spaces_skip(start + parser->length);
	const char *name;
	size_t length = 0;

	if (word == TOKEN_NAME || strncasecmp(in, "in", 2) != 0 || !is_space(in[2]))
		return;
	name = spaces_skip(in + 2);
	if (!is_letter(*name))
		return;
	while (is_name_rest(name[length]))
		length++;
	/* A filter of that name ahead of one that is called `in`: `and` or `or` follows. */
	if (word_token(name, length) != TOKEN_NAME)
		return;
	parser->token = word;
	parser->word_at = (size_t)(name - parser->text);
	parser->length = (size_t)(name - start) + length;
}

static enum status token_name(struct expression_parser *parser)
{
	const char *start = parser->text + parser->at;

	parser->length = *start == '@';
	while (is_name_rest(start[parser->length]))
		parser->length++;
	parser->token = word_token(start, parser->length);
	token_time(parser);
	token_set(parser);
	if (*start == '@' && !(parser->length == 4 && strncmp(start, "@all", 4) == 0) &&
	    !(parser->length == 8 && strncmp(start, "@skipped", 8) == 0))
		return expression_error(parser->text, parser->at, parser->message,
					"built in are @all and @skipped");
	return STATUS_OK;
}

/* pcap filters have no braces of their own. */
static enum status token_filter(struct expression_parser *parser)
{
	const char *start = parser->text + parser->at;
	const size_t length = strcspn(start + 1, "{}");

	if (start[1 + length] != '}')
		return expression_error(parser->text, parser->at, parser->message,
					"this brace is not closed");
	if (strspn(start + 1, " \t\r\n") >= length)
		return expression_error(parser->text, parser->at, parser->message,
					"no filter between the braces; @all is every row with a "
					"header");
	parser->token = TOKEN_FILTER;
	parser->length = length + 2;
	return STATUS_OK;
}

static enum status token_next(struct expression_parser *parser)
{
	const char *next;

	parser->at += parser->length;
	while (is_space(parser->text[parser->at]))
		parser->at++;
	next = parser->text + parser->at;
	parser->length = 1;
	if (is_letter(*next) || *next == '@')
		return token_name(parser);
	switch (*next) {
	case '\0':
		parser->token = TOKEN_END;
		parser->length = 0;
		return STATUS_OK;
	case '(':
		parser->token = TOKEN_OPEN;
		return STATUS_OK;
	case ')':
		parser->token = TOKEN_CLOSE;
		return STATUS_OK;
	case '!':
		parser->token = TOKEN_NOT;
		return STATUS_OK;
	case '&':
	case '|':
		if (next[1] != *next)
			return expression_error(parser->text, parser->at, parser->message,
						"a single '%c'; write '%c%c' or '%s'", *next, *next,
						*next, *next == '&' ? "and" : "or");
		parser->token = *next == '&' ? TOKEN_AND : TOKEN_OR;
		parser->length = 2;
		return STATUS_OK;
	case '{':
		return token_filter(parser);
	default:
		return expression_error(parser->text, parser->at, parser->message,
					"expected the name of a filter, {a pcap filter}, not, ( or "
					"@all");
	}
}

static enum status step_add(struct expression_parser *parser, enum expression_kind kind,
			    size_t name)
{
	struct expression *expression = parser->expression;

	if (expression->step_count == expression->step_capacity) {
		size_t capacity = expression->step_capacity ? expression->step_capacity * 2 : 16;
		struct expression_step *steps =
			realloc(expression->steps, capacity * sizeof(*steps));

		if (!steps)
			return message_out_of_memory(parser->message);
		expression->steps = steps;
		expression->step_capacity = capacity;
	}
	expression->steps[expression->step_count++] =
		(struct expression_step){.kind = kind, .name = name};
	if (kind == EXPRESSION_NAME)
		parser->stack++;
	else if (kind != EXPRESSION_NOT)
		parser->stack--;
	if (parser->stack > expression->depth)
		expression->depth = parser->stack;
	return STATUS_OK;
}

/* A name, a filter or a time is kept once, however often it is asked. */
static enum status leaf_add(struct expression_parser *parser, struct expression_name leaf,
			    const char *text, size_t length)
{
	struct expression *expression = parser->expression;
	struct expression_name *names;
	size_t i;

	for (i = 0; i < expression->name_count; i++)
		if (expression->names[i].leaf == leaf.leaf &&
		    strlen(expression->names[i].text) == length &&
		    strncmp(expression->names[i].text, text, length) == 0)
			return step_add(parser, EXPRESSION_NAME, i);
	if (i == EXPRESSION_NAMES_MAX)
		return expression_error(parser->text, parser->at, parser->message,
					"more than %d different names", EXPRESSION_NAMES_MAX);
	names = realloc(expression->names, (i + 1) * sizeof(*names));
	if (!names)
		return message_out_of_memory(parser->message);
	expression->names = names;
	leaf.text = strndup(text, length);
	names[i] = leaf;
	if (!names[i].text)
		return message_out_of_memory(parser->message);
	expression->name_count++;
	return step_add(parser, EXPRESSION_NAME, i);
}

/* A source or destination, or both, in an address set. */
static enum status set_add(struct expression_parser *parser)
{
	const char *name = parser->text + parser->word_at;
	const size_t length = parser->length - (parser->word_at - parser->at);
	enum status status = STATUS_OK;

	if (parser->token != TOKEN_DESTINATION)
		status = leaf_add(
			parser,
			(struct expression_name){.leaf = LEAF_SOURCE_IN, .at = parser->word_at},
			name, length);
	if (status == STATUS_OK && parser->token != TOKEN_SOURCE)
		status = leaf_add(parser,
				  (struct expression_name){.leaf = LEAF_DESTINATION_IN,
							   .at = parser->word_at},
				  name, length);
	if (status == STATUS_OK && parser->token == TOKEN_HOST)
		status = step_add(parser, EXPRESSION_OR, 0);
	return status;
}

/* The leaf that the token is. */
static enum status token_add(struct expression_parser *parser)
{
	const char *start = parser->text + parser->at;
	const char *time = parser->text + parser->word_at;
	const size_t length = parser->length - (size_t)(time - start);
	struct expression_name leaf = {.at = parser->at};

	if (parser->token == TOKEN_NAME)
		return leaf_add(parser, leaf, start, parser->length);
	if (parser->token == TOKEN_FILTER) {
		leaf.leaf = LEAF_PCAP;
		return leaf_add(parser, leaf, start + 1, parser->length - 2);
	}
	if (parser->token != TOKEN_SINCE && parser->token != TOKEN_BEFORE)
		return set_add(parser);
	leaf.leaf = parser->token == TOKEN_SINCE ? LEAF_SINCE : LEAF_BEFORE;
	if (!time_text_read(time, length, &leaf.time, &leaf.back))
		return expression_error(parser->text, parser->word_at, parser->message,
					"no time: " TIME_TEXT_EXPECTED);
	if (start[parser->length] == ' ' && strchr("0123456789", start[parser->length + 1]) &&
	    start[parser->length + 1])
		return expression_error(parser->text, parser->at + parser->length, parser->message,
					"a T stands between day and clock, as in 2026-11-27T18:30");
	return leaf_add(parser, leaf, time, length);
}

static enum status parse_list(struct expression_parser *parser);

static enum status parse_parentheses(struct expression_parser *parser)
{
	size_t opened = parser->at;
	enum status status = token_next(parser);

	if (status == STATUS_OK)
		status = parse_list(parser);
	if (status != STATUS_OK)
		return status;
	if (parser->token != TOKEN_CLOSE)
		return expression_error(parser->text, opened, parser->message,
					"this parenthesis is not closed");
	return token_next(parser);
}

static enum status parse_factor(struct expression_parser *parser)
{
	enum status status;

	if (parser->nesting == EXPRESSION_DEPTH_MAX)
		return expression_error(parser->text, parser->at, parser->message,
					"nested more than %d deep", EXPRESSION_DEPTH_MAX);
	parser->nesting++;
	switch (parser->token) {
	case TOKEN_NAME:
	case TOKEN_FILTER:
	case TOKEN_SINCE:
	case TOKEN_BEFORE:
	case TOKEN_SOURCE:
	case TOKEN_DESTINATION:
	case TOKEN_HOST:
		status = token_add(parser);
		if (status == STATUS_OK)
			status = token_next(parser);
		break;
	case TOKEN_NOT:
		status = token_next(parser);
		if (status == STATUS_OK)
			status = parse_factor(parser);
		if (status == STATUS_OK)
			status = step_add(parser, EXPRESSION_NOT, 0);
		break;
	case TOKEN_OPEN:
		status = parse_parentheses(parser);
		break;
	default:
		status = expression_error(parser->text, parser->at, parser->message,
					  "expected the name of a filter, {a pcap filter}, not, ( "
					  "or @all");
	}
	parser->nesting--;
	return status;
}

/* Factors joined by one operator, whichever comes first. */
static enum status parse_list(struct expression_parser *parser)
{
	enum status status = parse_factor(parser);
	enum token joined_by = parser->token;

	while (status == STATUS_OK && (parser->token == TOKEN_AND || parser->token == TOKEN_OR)) {
		if (parser->token != joined_by)
			return expression_error(
				parser->text, parser->at, parser->message,
				"'and' and 'or' together need parentheses, as in: a "
				"and (b or c)");
		status = token_next(parser);
		if (status == STATUS_OK)
			status = parse_factor(parser);
		if (status == STATUS_OK)
			status = step_add(
				parser, joined_by == TOKEN_AND ? EXPRESSION_AND : EXPRESSION_OR, 0);
	}
	return status;
}

/* Whether the word ahead of a place is one behind which a time is likely to be meant. */
static bool follows_time_word(const char *text, size_t at)
{
	size_t end = at;
	size_t start;

	while (end > 0 && is_space(text[end - 1]))
		end--;
	for (start = end; start > 0 && is_name_rest(text[start - 1]);)
		start--;
	return time_word(text + start, end - start) != TOKEN_NAME;
}

/* Whether a word behind `src`, `dst` or `host` is `in`, which a name of a set has to follow. */
static bool follows_end_word(const char *text, size_t at)
{
	size_t end = at;
	size_t start;

	while (end > 0 && is_space(text[end - 1]))
		end--;
	for (start = end; start > 0 && is_name_rest(text[start - 1]);)
		start--;
	return end_word(text + start, end - start) != TOKEN_NAME &&
	       strncasecmp(text + at, "in", 2) == 0 && !is_name_rest(text[at + 2]);
}

enum status expression_parse(const char *text, struct expression *expression,
			     struct message *message)
{
	struct expression_parser parser = {
		.text = text, .expression = expression, .message = message};
	enum status status;

	*expression = (struct expression){0};
	if (strlen(text) > EXPRESSION_MAX)
		return message_set(message, STATUS_USAGE, "the expression is longer than %d bytes",
				   EXPRESSION_MAX);
	status = token_next(&parser);
	if (status == STATUS_OK && parser.token == TOKEN_END)
		status = message_set(message, STATUS_USAGE,
				     "the expression is empty; @all is every row with a header");
	if (status == STATUS_OK)
		status = parse_list(&parser);
	if (status == STATUS_OK && parser.token == TOKEN_CLOSE)
		status = expression_error(text, parser.at, message,
					  "this parenthesis was never opened");
	else if (status == STATUS_OK && parser.token != TOKEN_END)
		status = expression_error(text, parser.at, message,
					  follows_time_word(text, parser.at)
						  ? "no time: " TIME_TEXT_EXPECTED
					  : follows_end_word(text, parser.at)
						  ? "expected the name of an address set behind "
						    "'in', as in: src in drop"
						  : "expected and, or, or the end");
	if (status != STATUS_OK)
		expression_free(expression);
	return status;
}

enum status expression_narrow(struct expression *expression, enum expression_leaf leaf,
			      const char *text, struct message *message)
{
	struct expression_parser parser = {
		.text = text, .expression = expression, .message = message, .stack = 1};
	struct expression_name name = {.leaf = leaf};
	enum status status;

	if (!time_text_read(text, strlen(text), &name.time, &name.back))
		return message_set(message, STATUS_USAGE, "'%.60s' is no time: " TIME_TEXT_EXPECTED,
				   text);
	status = leaf_add(&parser, name, text, strlen(text));
	return status == STATUS_OK ? step_add(&parser, EXPRESSION_AND, 0) : status;
}

bool expression_needs_all(const struct expression *expression)
{
	for (size_t i = 0; i < expression->step_count; i++)
		if (expression->steps[i].kind == EXPRESSION_NOT)
			return true;
	return false;
}

void expression_free(struct expression *expression)
{
	for (size_t i = 0; i < expression->name_count; i++)
		free(expression->names[i].text);
	free(expression->names);
	free(expression->steps);
	*expression = (struct expression){0};
}

/* The end of a quoted name that begins at text, behind its last quote; NULL where it has none. */
static const char *quoted_end(const char *text)
{
	for (text++; *text; text++) {
		if (*text != '"')
			continue;
		if (text[1] != '"')
			return text + 1;
		text++;
	}
	return NULL;
}

/* Copies a quoted name without its quotes; to is long enough. */
static void quoted_copy(const char *from, const char *end, char *to)
{
	for (from++; from + 1 < end; from++) {
		*to++ = *from;
		from += *from == '"';
	}
	*to = '\0';
}

enum status expression_table(const char *text, char **table, const char **rest,
			     struct message *message)
{
	const char *begin = spaces_skip(text);
	const bool quoted = *begin == '"';
	const char *end = quoted ? quoted_end(begin) : begin;
	const char *colon;

	*table = NULL;
	*rest = text;
	while (!quoted && is_name_rest(*end))
		end++;
	if (!end)
		return message_set(message, STATUS_USAGE,
				   "the table's name has no closing quote, as in \"%.60s\": smb",
				   begin + 1);
	if (end == begin)
		return STATUS_OK;
	colon = spaces_skip(end);
	if (*colon != ':')
		return STATUS_OK;
	*table = calloc((size_t)(end - begin) + 1, 1);
	if (!*table)
		return message_out_of_memory(message);
	if (quoted)
		quoted_copy(begin, end, *table);
	else
		memcpy(*table, begin, (size_t)(end - begin));
	*rest = spaces_skip(colon + 1);
	return STATUS_OK;
}
