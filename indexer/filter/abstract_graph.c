#include "abstract_graph.h"

#include <stdlib.h>

static size_t node_hash(const struct node *node)
{
	const uint32_t words[] = {node->test.value, node->test.operation, node->test.constant,
				  (uint32_t)node->yes, (uint32_t)node->no};
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return (size_t)hash;
}

static bool node_equal(const struct node *a, const struct node *b)
{
	return a->test.value == b->test.value && a->test.operation == b->test.operation &&
	       a->test.constant == b->test.constant && a->yes == b->yes && a->no == b->no;
}

static uint32_t *node_slot(const struct abstract_graph *graph, const struct node *node)
{
	size_t mask = graph->slot_count - 1;
	size_t i = node_hash(node) & mask;

	while (graph->slots[i] && !node_equal(&graph->nodes[graph->slots[i] - 1], node))
		i = (i + 1) & mask;
	return &graph->slots[i];
}

static bool graph_grow(struct abstract_graph *graph)
{
	size_t capacity = graph->capacity ? graph->capacity * 2 : 32;
	struct node *nodes;
	uint32_t *slots;

	if (graph->count < graph->capacity)
		return true;
	nodes = realloc(graph->nodes, capacity * sizeof(*nodes));
	if (!nodes)
		return false;
	graph->nodes = nodes;
	slots = calloc(capacity * 2, sizeof(*slots));
	if (!slots)
		return false;
	free(graph->slots);
	graph->slots = slots;
	graph->slot_count = capacity * 2;
	graph->capacity = capacity;
	if (graph->count == 0) {
		nodes[NODE_REJECT] = (struct node){0};
		nodes[NODE_ACCEPT] = (struct node){0};
		graph->count = NODE_ACCEPT + 1;
	}
	for (size_t i = NODE_ACCEPT + 1; i < graph->count; i++)
		*node_slot(graph, &nodes[i]) = (uint32_t)i + 1;
	return true;
}

int32_t abstract_graph_join(struct abstract_graph *graph, const struct test *test, int32_t yes,
			    int32_t no)
{
	const struct node node = {.test = *test, .yes = yes, .no = no};
	uint32_t *slot;

	if (yes == no)
		return yes;
	if (graph->failed || !graph_grow(graph)) {
		graph->failed = true;
		return NODE_REJECT;
	}
	slot = node_slot(graph, &node);
	if (!*slot) {
		graph->nodes[graph->count++] = node;
		*slot = (uint32_t)graph->count;
	}
	return (int32_t)*slot - 1;
}

bool abstract_graph_witness(struct abstract_graph *graph, int32_t root,
			    const struct abstract_values *values, struct abstract_witness *witness)
{
	int32_t *stack = malloc((graph->count + 1) * 2 * sizeof(*stack));
	size_t height = 0;
	bool found = false;

	if (!stack) {
		graph->failed = true;
		return false;
	}
	stack[height++] = root;
	while (height > 0 && !found) {
		int32_t number = stack[--height];
		struct node *node;

		if (number <= NODE_ACCEPT || graph->nodes[number].visited)
			continue;
		node = &graph->nodes[number];
		node->visited = true;
		if (values->items[node->test.value].unheld) {
			*witness = values->items[node->test.value].witness;
			found = true;
		}
		stack[height++] = node->no;
		stack[height++] = node->yes;
	}
	free(stack);
	return found;
}

void abstract_graph_free(struct abstract_graph *graph)
{
	free(graph->nodes);
	free(graph->slots);
	*graph = (struct abstract_graph){0};
}
