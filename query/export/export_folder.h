/*
 * A folder of exports, into which an export comes whole or not at all, whoever is killed when.
 * What is made lies in FOLDER/.staging until all of it is on the disk; under the name .ready it
 * counts, and its files move to their names, the manifest last. The next export finishes what a
 * killed one left under .ready, and removes what it left under .staging. Whoever ships files
 * leaves out names that begin with a dot.
 */
#ifndef CONNBITS_EXPORT_EXPORT_FOLDER_H
#define CONNBITS_EXPORT_EXPORT_FOLDER_H

#include <stdbool.h>

#include "base/message.h"
#include "manifest.h"

#define EXPORT_MANIFEST "manifest.jsonl"

struct export_folder {
	const char *path;
	int lock;	/* a descriptor of FOLDER/.lock */
	bool is_staged; /* .staging is there */
};

/*
 * Makes the folder where it is missing, locks it against other exports, and finishes what a
 * killed one left. On success end with export_folder_close.
 */
enum status export_folder_open(const char *path, struct export_folder *folder,
			       struct message *message);

/* Reads the manifest; series is 0 where there is none. On success free with manifest_free. */
enum status export_folder_manifest(const struct export_folder *folder, struct manifest *manifest,
				   struct message *message);

/* Makes .staging, empty. */
enum status export_folder_stage(struct export_folder *folder, struct message *message);

/* The path of a file to be in the export. The caller frees it with free; NULL without memory. */
char *export_folder_staged(const struct export_folder *folder, const char *name);

/* Whether a file of that name lies in the folder. */
bool export_folder_has(const struct export_folder *folder, const char *name);

/* Has what was staged count. */
enum status export_folder_publish(struct export_folder *folder, struct message *message);

/* Removes what was staged and not published, and lets others in. */
void export_folder_close(struct export_folder *folder);

#endif
