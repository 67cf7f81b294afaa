/* The catalogue that is installed with the programs. */
#ifndef CONNBITS_CATALOGUE_SHIPPED_CATALOGUE_H
#define CONNBITS_CATALOGUE_SHIPPED_CATALOGUE_H

/*
 * Its path, as seen from where this program lies: whatever prefix it was
 * installed to, or moved to. NULL where it is not installed, or without memory.
 * The caller frees it.
 */
char *shipped_catalogue_find(void);

#endif
