/*
 * Turns of the threads of one process that read a SQLite file, so that other
 * processes can write to it.
 *
 * In rollback-journal mode a writer waits until no reader is left, and SQLite
 * lets no new one in meanwhile; but a thread whose process has the file locked
 * for reading already joins in without asking. Threads that read in turn would
 * so keep a writer out for ever: the gate lets all of them out now and then.
 * And a writer that finds the file locked looks again only after a while: the
 * gate keeps commits apart.
 */
#ifndef CONNBITS_DATABASE_READER_GATE_H
#define CONNBITS_DATABASE_READER_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct reader_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned readers;
	bool closed;	   /* somebody waits for the readers to leave, or has them out */
	double entered;	   /* seconds: when the first of them came */
	double longest;	   /* seconds that a read took lately */
	bool contended;	   /* another process writes to the file */
	double next_close; /* when it may be closed again */
};

void reader_gate_init(struct reader_gate *gate);
void reader_gate_destroy(struct reader_gate *gate);

/*
 * Around each read. Waits where the gate is closed, or where with this read those that are in would
 * keep a writer out for too long. reader_gate_leave is given what reader_gate_enter returned.
 */
double reader_gate_enter(struct reader_gate *gate);
void reader_gate_leave(struct reader_gate *gate, double since);

/*
 * Around a commit: waits until the last one is as long ago as it took, and until
 * nobody reads, and keeps everybody out. reader_gate_open is told how many seconds the
 * commit had to wait for the file, and for how many it had it locked: without
 * ever a wait nobody else writes. By one thread at a time.
 */
void reader_gate_close(struct reader_gate *gate);
void reader_gate_open(struct reader_gate *gate, double waited, double locked);

#endif
