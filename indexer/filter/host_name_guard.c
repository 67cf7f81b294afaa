#include "host_name_guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORD_MAX = 255 }; /* bytes; a longer one is no word of the language */

/* What a name would be taken for where it stands: only services and protocols are not hosts. */
enum place { PLACE_HOST, PLACE_PORT, PLACE_PORTRANGE, PLACE_PROTOCOL };

static const char *const words[] = {
	"aarp",
	"action",
	"addr1",
	"addr2",
	"addr3",
	"addr4",
	"address1",
	"address2",
	"address3",
	"address4",
	"ah",
	"and",
	"arp",
	"atalk",
	"bcc",
	"broadcast",
	"byte",
	"carp",
	"clnp",
	"connectmsg",
	"csnp",
	"decnet",
	"dir",
	"direction",
	"dpc",
	"dst",
	"es-is",
	"esis",
	"esp",
	"ether",
	"fddi",
	"fisu",
	"gateway",
	"geneve",
	"greater",
	"hdpc",
	"hfisu",
	"hlssu",
	"hmsu",
	"hopc",
	"host",
	"hsio",
	"hsls",
	"icmp",
	"icmp-echo",
	"icmp-echoreply",
	"icmp-ireq",
	"icmp-ireqreply",
	"icmp-maskreply",
	"icmp-maskreq",
	"icmp-paramprob",
	"icmp-redirect",
	"icmp-routeradvert",
	"icmp-routersolicit",
	"icmp-sourcequench",
	"icmp-timxceed",
	"icmp-tstamp",
	"icmp-tstampreply",
	"icmp-unreach",
	"icmp6",
	"icmp6-certpathadvert",
	"icmp6-certpathsolicit",
	"icmp6-destinationunreach",

	"icmp6-echo",
	"icmp6-echoreply",
	"icmp6-homeagentdiscoveryreply",
	"icmp6-homeagentdiscoveryrequest",
	"icmp6-ineighbordiscoveryadvert",
	"icmp6-ineighbordiscoverysolicit",
	"icmp6-mobileprefixadvert",
	"icmp6-mobileprefixsolicit",
	"icmp6-multicastlistenerdone",
	"icmp6-multicastlistenerquery",
	"icmp6-multicastlistenerreportv1",
	"icmp6-multicastlistenerreportv2",
	"icmp6-multicastrouteradvert",
	"icmp6-multicastroutersolicit",
	"icmp6-multicastrouterterm",
	"icmp6-neighboradvert",
	"icmp6-neighborsolicit",
	"icmp6-nodeinformationquery",
	"icmp6-nodeinformationresponse",
	"icmp6-packettoobig",
	"icmp6-parameterproblem",
	"icmp6-redirect",
	"icmp6-routeradvert",
	"icmp6-routerrenum",
	"icmp6-routersolicit",
	"icmp6-timeexceeded",
	"icmp6code",
	"icmp6type",
	"icmpcode",
	"icmptype",
	"ifindex",
	"ifname",
	"igmp",
	"igrp",
	"iih",
	"ilmic",
	"inbound",
	"ip",
	"ip6",
	"ipx",
	"is-is",
	"isis",
	"iso",
	"l1",
	"l2",
	"lane",
	"lat",
	"len",
	"length",
	"less",
	"link",
	"llc",
	"lsp",
	"lssu",
	"lsu",
	"mask",
	"metac",
	"metaconnect",
	"mopdl",
	"moprc",
	"mpls",
	"msu",
	"multicast",
	"net",
	"netbeui",
	"not",
	"oam",
	"oamf4",
	"oamf4ec",
	"oamf4sc",
	"on",
	"opc",
	"or",
	"outbound",
	"pim",
	"port",
	"portrange",
	"ppp",
	"pppoed",
	"pppoes",
	"proto",
	"protochain",
	"psnp",
	"ra",
	"radio",
	"rarp",
	"reason",
	"rnr",
	"rset",
	"rulenum",
	"ruleset",
	"sc",
	"sca",
	"sctp",
	"sio",
	"slip",
	"sls",
	"snp",
	"src",
	"srnr",
	"stp",
	"subrulenum",
	"subtype",
	"ta",
	"tcp",
	"tcp-ack",
	"tcp-cwr",
	"tcp-ece",
	"tcp-fin",
	"tcp-push",
	"tcp-rst",
	"tcp-syn",
	"tcp-urg",
	"tcpflags",
	"tr",
	"type",
	"udp",
	"vci",
	"vlan",
	"vpi",
	"vrrp",
	"wlan",
};

static bool is_keyword(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/*
 * True if a file of names, a number behind each, and further names has the
 * word as a name. The file and not the system's look-up, which may ask the
 * network for what is not in it.
 */
static bool file_has(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t capacity = 0;
	bool found = false;

	while (file && !found && getline(&line, &capacity, file) > 0) {
		char *rest = line;
		char *field;
		int number = 0;

		line[strcspn(line, "#\n")] = '\0';
		while (!found && (field = strsep(&rest, " \t")))
			if (*field && ++number != 2)
				found = strcmp(field, word) == 0;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

static bool is_service(const char *word)
{
	return file_has("/etc/services", word);
}

static bool is_protocol(const char *word)
{
	return file_has("/etc/protocols", word);
}

/* One number of libpcap's scanner, decimal or hexadecimal; NULL or what stands behind it. */
static const char *number_end(const char *word)
{
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X') &&
	    isxdigit((unsigned char)word[2]))
		return word + 2 + strspn(word + 2, "0123456789abcdefABCDEF");
	return isdigit((unsigned char)*word) ? word + strspn(word, "0123456789") : NULL;
}

/* A number, or two to four of them with dots: an address. Anything else is a name. */
static bool is_number(const char *word)
{
	for (int part = 0; part < 4; part++) {
		word = number_end(word);
		if (!word)
			return false;
		if (*word == '\0')
			return true;
		if (*word++ != '.')
			return false;
	}
	return false;
}

/* What the system takes for the number of a port, and asks nobody for. */
static bool is_decimal(const char *word)
{
	return *word && word[strspn(word, "0123456789")] == '\0';
}

/* Both ends of a range, as libpcap parts it: at the first dash. */
static bool is_range(const char *word)
{
	char first[WORD_MAX + 1];
	const char *dash = strchr(word, '-');

	if (!dash)
		return is_service(word);
	memcpy(first, word, (size_t)(dash - word));
	first[dash - word] = '\0';
	return (is_decimal(first) || is_service(first)) &&
	       (is_decimal(dash + 1) || is_service(dash + 1));
}

static bool name_is_known(const char *word, enum place place)
{
	switch (place) {
	case PLACE_PORT:
		return is_service(word);
	case PLACE_PORTRANGE:
		return is_range(word);
	case PLACE_PROTOCOL:
		return is_protocol(word);
	default:
		return false;
	}
}

static enum status refused(const char *word, struct message *message)
{
	const bool names =
		access("/etc/services", R_OK) == 0 && access("/etc/protocols", R_OK) == 0;

	return message_set(
		message, STATUS_USAGE,
		"'%.200s' is no word of pcap's, and names of hosts are not looked up from "
		"SQL; write the address%s",
		word,
		names ? ""
		      : " (nor are there names of ports and protocols: apt-get install netbase)");
}

/* A keyword says what names behind it are, up to the next one: and, or, not leave it as it is. */
static enum place place_behind(const char *keyword, enum place place)
{
	if (strcmp(keyword, "port") == 0)
		return PLACE_PORT;
	if (strcmp(keyword, "portrange") == 0)
		return PLACE_PORTRANGE;
	if (strcmp(keyword, "proto") == 0 || strcmp(keyword, "protochain") == 0)
		return PLACE_PROTOCOL;
	if (strcmp(keyword, "and") == 0 || strcmp(keyword, "or") == 0 ||
	    strcmp(keyword, "not") == 0)
		return place;
	return PLACE_HOST;
}

static enum status word_check(const char *word, enum place *place, struct message *message)
{
	if (is_number(word))
		return STATUS_OK;
	if (is_keyword(word)) {
		*place = place_behind(word, *place);
		return STATUS_OK;
	}
	return name_is_known(word, *place) ? STATUS_OK : refused(word, message);
}

/* The run of characters at text of which a word of that kind is made, copied. */
static size_t run_take(const char *text, bool (*belongs)(char character),
		       char word[static WORD_MAX + 1])
{
	size_t length = 0;

	while (length < WORD_MAX && text[length] && belongs(text[length]))
		length++;
	memcpy(word, text, length);
	word[length] = '\0';
	return length;
}

static bool in_word(char character)
{
	return isalnum((unsigned char)character) || strchr("-_.", character);
}

static bool in_address(char character)
{
	return isxdigit((unsigned char)character) || strchr(":.", character);
}

/* All that libpcap takes into a word behind a backslash. */
static bool in_escaped(char character)
{
	return !strchr(" !()\n\t", character);
}

/* An IPv6 address at text: its length, or 0. */
static size_t ipv6_take(const char *text)
{
	char word[WORD_MAX + 1];
	const size_t length = run_take(text, in_address, word);
	struct in6_addr address;

	return strchr(word, ':') && inet_pton(AF_INET6, word, &address) == 1 ? length : 0;
}

/* The word, address or operator at *text, which is then behind it. */
static enum status token_check(const char **text, enum place *place, struct message *message)
{
	char word[WORD_MAX + 1];
	size_t length = ipv6_take(*text);
	enum status status = STATUS_OK;

	if (length > 0) {
		*text += length;
	} else if (**text == '\\') {
		length = run_take(*text + 1, in_escaped, word);
		if (length == WORD_MAX || *place != PLACE_PROTOCOL || !name_is_known(word, *place))
			status = refused(word, message);
		*text += 1 + length;
	} else if (isalnum((unsigned char)**text)) {
		length = run_take(*text, in_word, word);
		status = length == WORD_MAX ? refused(word, message)
					    : word_check(word, place, message);
		*text += length;
	} else {
		/* What a bracket ends is not known any more. */
		if (**text == ')')
			*place = PLACE_HOST;
		(*text)++;
	}
	return status;
}

enum status host_name_guard_check(const char *expression, struct message *message)
{
	enum place place = PLACE_HOST;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && *expression)
		status = token_check(&expression, &place, message);
	return status;
}
