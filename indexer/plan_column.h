/*
 * The columns of a plan: the intervals of its predicates, and how they are
 * looked up.
 */
#ifndef CONNBITS_PLAN_COLUMN_H
#define CONNBITS_PLAN_COLUMN_H

#include "message.h"
#include "plan.h"

/* Cuts the columns into intervals and makes their tables. */
enum status plan_columns_make(struct plan *plan, struct message *message);

void plan_columns_free(struct plan *plan);

#endif
