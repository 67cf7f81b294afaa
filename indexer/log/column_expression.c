#include "column_expression.h"

#include <string.h>
#include <strings.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* a keyword, a number or a name without quotes */
	TOKEN_NAME,   /* a name in quotes */
	TOKEN_STRING, /* with its quotes */
	TOKEN_MARK,   /* one character */
	TOKEN_UNTERMINATED,
};

/* A token of SQLite's (www.sqlite.org/lang_expr.html), as far as rules go. */
struct token {
	enum token_kind kind;
	const char *text;
	size_t length;
};

static bool is_word(char character)
{
	return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
	       (character >= 'A' && character <= 'Z') || character == '_' ||
	       (unsigned char)character >= 0x80;
}

/* Where the quoted text ends that begins here; NULL where it does not. */
static const char *quoted_end(const char *text)
{
	char close = *text;

	if (close == '[')
		close = ']';

	for (text++; *text; text++) {
		if (*text != close)
			continue;
		if (close == ']' || text[1] != close)
			return text + 1;
		text++;
	}
	return NULL;
}

static struct token token_read(const char *text)
{
	struct token token = {.kind = TOKEN_MARK, .length = 1};
	const char *end;

	text += strspn(text, " \t\n\f\r");
	token.text = text;
	if (*text == '\0') {
		token.kind = TOKEN_END;
		token.length = 0;
	} else if (is_word(*text)) {
		token.kind = TOKEN_WORD;
		while (is_word(text[token.length]) || text[token.length] == '$')
			token.length++;
	} else if (strchr("'\"`[", *text)) {
		end = quoted_end(text);
		token.kind = !end ? TOKEN_UNTERMINATED : *text == '\'' ? TOKEN_STRING : TOKEN_NAME;
		token.length = end ? (size_t)(end - text) : strlen(text);
	}
	return token;
}

static struct token token_next(const struct token *token)
{
	return token_read(token->text + token->length);
}

static bool token_is(const struct token *token, const char *word)
{
	return token->length == strlen(word) && strncasecmp(token->text, word, token->length) == 0;
}

static bool token_is_any(const struct token *token, const char *const *words)
{
	for (; *words; words++)
		if (token_is(token, *words))
			return true;
	return false;
}

/* How many arguments a date function has to have, so that none is the time it is now; 0 for others.
 */
static size_t date_arguments(const struct token *name)
{
	static const char *const dates[] = {"date",	 "time",      "datetime",
					    "julianday", "unixepoch", NULL};

	if (name->kind != TOKEN_WORD)
		return 0;
	if (token_is(name, "strftime") || token_is(name, "timediff"))
		return 2;
	return token_is_any(name, dates) ? 1 : 0;
}

/* What gives another time for the same row, where it stands as the argument of that number. */
static bool is_moving(const struct token *token, bool is_time)
{
	static const char *const moving[] = {"'now'", "'localtime'", "'utc'", NULL};
	static const char *const alone[] = {"'subsec'", "'subsecond'", NULL};

	return token->kind == TOKEN_STRING &&
	       (token_is_any(token, moving) || (is_time && token_is_any(token, alone)));
}

/* The arguments behind the name of a date function, on whose parenthesis the token stands. */
static enum status date_check(const struct token *name, struct token token, size_t least,
			      struct message *message)
{
	static const char *const no_arguments[] = {"*", "all", "distinct", NULL};
	size_t depth = 1;
	size_t arguments = 0;

	for (token = token_next(&token); token.kind != TOKEN_END; token = token_next(&token)) {
		if (token_is(&token, ")") && --depth == 0)
			break;
		if (arguments == 0 && token_is_any(&token, no_arguments))
			break;
		if (arguments == 0)
			arguments = 1;
		if (is_moving(&token, arguments == least))
			return message_set(message, STATUS_USAGE,
					   "%.*s in %.*s() is another one for the same row",
					   (int)token.length, token.text, (int)name->length,
					   name->text);
		if (depth == 1 && token_is(&token, ","))
			arguments++;
		else if (arguments > least && token.kind != TOKEN_STRING)
			return message_set(message, STATUS_USAGE,
					   "what modifies the time in %.*s() has to be texts in "
					   "single quotes",
					   (int)name->length, name->text);
		else if (token_is(&token, "("))
			depth++;
	}
	if (arguments < least)
		return message_set(message, STATUS_USAGE,
				   "%.*s() without a time is the time it is now", (int)name->length,
				   name->text);
	return STATUS_OK;
}

/* One token and the one behind it. */
static enum status token_check(const struct token *token, struct message *message)
{
	const struct token next = token_next(token);
	const size_t least = date_arguments(token);
	const bool adjoins = next.text == token->text + token->length;

	if (token->kind == TOKEN_UNTERMINATED)
		return message_set(message, STATUS_USAGE, "%c opens what nothing closes",
				   *token->text);
	if (token->kind == TOKEN_WORD && token_is(token, "with"))
		return message_set(message, STATUS_USAGE,
				   "WITH has no place in it (a column of that name goes in double "
				   "quotes)");
	if (token->kind == TOKEN_WORD && token_is(token, "over"))
		return message_set(message, STATUS_USAGE,
				   "OVER looks at other rows (a column of that name goes in double "
				   "quotes)");
	if (least && token_is(&next, "("))
		return date_check(token, next, least, message);
	if (token->kind == TOKEN_NAME && token_is(&next, "("))
		return message_set(message, STATUS_USAGE,
				   "a function's name goes without quotes, %.*s does not",
				   (int)(token->length < 100 ? token->length : 100), token->text);
	if (token->kind != TOKEN_MARK)
		return STATUS_OK;
	if (strchr("?:@$#;", *token->text))
		return message_set(message, STATUS_USAGE,
				   "'%c' has no place in it, outside of quotes", *token->text);
	if (adjoins && ((*token->text == '-' && *next.text == '-') ||
			(*token->text == '/' && *next.text == '*')))
		return message_set(message, STATUS_USAGE, "comments have no place in it");
	return STATUS_OK;
}

bool column_expression_is(const char *column)
{
	return column && *column == '(';
}

enum status column_expression_check(const char *expression, struct message *message)
{
	struct token token = token_read(expression);
	size_t depth = 0;

	if (strlen(expression) > COLUMN_EXPRESSION_BYTES)
		return message_set(message, STATUS_USAGE, "it has more than %d bytes",
				   COLUMN_EXPRESSION_BYTES);
	/* At the start of a token SQLite takes it for a blank. */
	if (strstr(expression, "\xef\xbb\xbf"))
		return message_set(message, STATUS_USAGE, "a byte order mark has no place in it");
	for (; token.kind != TOKEN_END; token = token_next(&token)) {
		const enum status status = token_check(&token, message);

		if (status != STATUS_OK)
			return status;
		if (token_is(&token, "("))
			depth++;
		else if (token_is(&token, ")"))
			depth--;
		if (depth == 0 && token_next(&token).kind != TOKEN_END)
			return message_set(message, STATUS_USAGE,
					   "its first parenthesis closes before its end");
	}
	if (depth)
		return message_set(message, STATUS_USAGE, "a parenthesis is not closed");
	return STATUS_OK;
}

bool column_expression_reads_rows(const char *expression)
{
	struct token token = token_read(expression);

	for (; token.kind != TOKEN_END; token = token_next(&token)) {
		const struct token next = token_next(&token);

		if (token.kind != TOKEN_WORD)
			continue;
		if (token_is(&token, "select") || (token_is(&token, "in") && !token_is(&next, "(")))
			return true;
	}
	return false;
}
