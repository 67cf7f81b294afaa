/* How fast this machine reads memory: the limit of whatever only moves bytes. */
#ifndef CONNBITS_MEASURE_BANDWIDTH_H
#define CONNBITS_MEASURE_BANDWIDTH_H

#include "base/message.h"

/* Memory that is far larger than any cache, to be read again and again. */
struct bandwidth;

/* For up to so many threads. The caller frees *bandwidth with bandwidth_free. */
enum status bandwidth_new(int threads, struct bandwidth **bandwidth, struct message *message);

/* Bytes a second that so many threads together read now, each its own part. */
double bandwidth_measure(struct bandwidth *bandwidth, int threads);

void bandwidth_free(struct bandwidth *bandwidth);

#endif
