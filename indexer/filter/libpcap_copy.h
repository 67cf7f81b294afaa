/*
 * The copy of libpcap's compiler that is linked into this library, by
 * libpcap_copy.sh: the same code as the package's, whose memory and words go
 * through libpcap_heap.h. Its names are hidden from whoever links or loads us.
 */
#ifndef CONNBITS_FILTER_LIBPCAP_COPY_H
#define CONNBITS_FILTER_LIBPCAP_COPY_H

#include <pcap/pcap.h>

pcap_t *copied_pcap_open_dead(int link_type, int snap_length);
int copied_pcap_compile(pcap_t *pcap, struct bpf_program *code, const char *expression,
			int optimise, bpf_u_int32 netmask);
char *copied_pcap_geterr(pcap_t *pcap);

/* The scanner: the next word of what is being compiled. */
int copied_pcap_lex(void *value, void *scanner);

u_int copied_bpf_filter(const struct bpf_insn *instructions, const u_char *packet, u_int wire,
			u_int captured);

#endif
