/* Unsigned numbers of 128 bits. On 64 bits gcc and clang have them; on 32 bits clang has. */
#ifndef CONNBITS_BASE_WIDE_NUMBER_H
#define CONNBITS_BASE_WIDE_NUMBER_H

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide_number;
#elif defined(__clang__) && __clang_major__ >= 14
__extension__ typedef unsigned _BitInt(128) wide_number;
#else
#error "no numbers of 128 bits: for 32 bits build with clang 14 or newer (CC=clang)"
#endif

#endif
