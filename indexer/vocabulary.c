#include "vocabulary.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 255 }; /* bytes; a longer one is no word of the language */

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
	"icmp6-destinationrunreach",
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

/* From the system's list, which is the same whoever asks. */
static bool is_service(const char *word)
{
	struct servent entry;
	struct servent *found = NULL;
	char buffer[4096];

	return getservbyname_r(word, NULL, &entry, buffer, sizeof(buffer), &found) == 0 && found;
}

static size_t count_dots(const char *word)
{
	size_t dots = 0;

	for (; *word; word++)
		dots += *word == '.';
	return dots;
}

static bool is_number(const char *word)
{
	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return word[2] && word[2 + strspn(word + 2, "0123456789abcdefABCDEF")] == '\0';
	/* Dotted addresses, and ranges of ports. */
	return word[strspn(word, "0123456789.-")] == '\0' && count_dots(word) <= 3;
}

static bool word_is_known(const char *word)
{
	return is_number(word) || is_keyword(word) || is_service(word);
}

static bool is_ipv6(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, text, &address) == 1;
}

static enum status word_check(const char *word, struct message *message)
{
	if (*word == '\0' || word_is_known(word))
		return STATUS_OK;
	return message_set(
		message, STATUS_USAGE,
		"'%.200s' is no word of pcap's, and names of hosts are not looked up from "
		"SQL; write the address",
		word);
}

/* What stands between blanks and operators: an address, or words with colons between them. */
static enum status token_check(char *token, struct message *message)
{
	char *rest = token;
	char *word;
	enum status status = STATUS_OK;

	if (is_ipv6(token))
		return STATUS_OK;
	while (status == STATUS_OK && (word = strsep(&rest, ":")))
		status = word_check(word, message);
	return status;
}

static bool belongs_to_token(char character)
{
	return isalnum((unsigned char)character) || strchr("-_.:", character);
}

enum status vocabulary_check(const char *expression, struct message *message)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && *expression) {
		char token[WORD_MAX + 1];
		size_t length = 0;

		while (expression[length] && belongs_to_token(expression[length]))
			length++;
		if (length > WORD_MAX)
			return message_set(message, STATUS_USAGE, "'%.40s...' is no word of pcap's",
					   expression);
		memcpy(token, expression, length);
		token[length] = '\0';
		status = token_check(token, message);
		/* A backslash before a word, a blank, an operator: nothing that is looked up. */
		expression += length + (length == 0);
	}
	return status;
}
