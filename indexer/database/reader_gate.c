#include "reader_gate.h"

#include "base/clock.h"

/* About how long readers that join each other may keep a writer out. */
static const double HELD_SECONDS = 0.05;

/* Where one read takes as long as that others may still join it at its beginning. */
static const double JOIN_SECONDS = 0.01;

/* What a long read counts after each shorter one. */
static const double LONGEST_DECAY = 0.9;

/* A lock that nobody has is had in less. */
static const double WAITED_SECONDS = 0.001;

/* However long a commit took, the next one waits no longer than this. */
static const double APART_SECONDS = 0.2;

void reader_gate_init(struct reader_gate *gate)
{
	*gate = (struct reader_gate){.lock = PTHREAD_MUTEX_INITIALIZER,
				     .changed = PTHREAD_COND_INITIALIZER};
}

void reader_gate_destroy(struct reader_gate *gate)
{
	pthread_mutex_destroy(&gate->lock);
	pthread_cond_destroy(&gate->changed);
}

/* Whether one more read is over soon enough after the first of those that are in began. */
static bool may_join(const struct reader_gate *gate)
{
	const double window = HELD_SECONDS - gate->longest;

	return clock_seconds() - gate->entered <= (window > JOIN_SECONDS ? window : JOIN_SECONDS);
}

double reader_gate_enter(struct reader_gate *gate)
{
	double now;

	pthread_mutex_lock(&gate->lock);
	while (gate->closed || (gate->readers && !may_join(gate)))
		pthread_cond_wait(&gate->changed, &gate->lock);
	now = clock_seconds();
	if (gate->readers++ == 0)
		gate->entered = now;
	pthread_mutex_unlock(&gate->lock);
	return now;
}

void reader_gate_leave(struct reader_gate *gate, double since)
{
	const double took = clock_seconds() - since;

	pthread_mutex_lock(&gate->lock);
	gate->longest *= LONGEST_DECAY;
	if (gate->longest < took)
		gate->longest = took;
	if (--gate->readers == 0)
		pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

void reader_gate_close(struct reader_gate *gate)
{
	const double apart = gate->next_close - clock_seconds();

	if (apart > 0)
		clock_sleep(apart);
	pthread_mutex_lock(&gate->lock);
	gate->closed = true;
	while (gate->readers)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void reader_gate_open(struct reader_gate *gate, double waited, double locked)
{
	gate->contended |= waited > WAITED_SECONDS;
	if (gate->contended)
		gate->next_close =
			clock_seconds() + (locked < APART_SECONDS ? locked : APART_SECONDS);
	pthread_mutex_lock(&gate->lock);
	gate->closed = false;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}
