/*
 * The columns of a plan: the intervals of its predicates, and how they are
 * looked up.
 */
#ifndef CONNBITS_ENGINE_PLAN_COLUMN_H
#define CONNBITS_ENGINE_PLAN_COLUMN_H

#include "base/message.h"
#include "plan.h"

/* Cuts the columns into intervals and makes their tables. */
enum status plan_columns_make(struct plan *plan, struct message *message);

/* Sorts count numbers and drops duplicates; returns how many are left. */
size_t plan_sort_distinct(uint32_t *numbers, size_t count);

void plan_columns_free(struct plan *plan);

#endif
