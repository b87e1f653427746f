/* lib/base/deadline.c -- moments by which something must be done. */
#include "config.h"

#include "lib/base/deadline.h"

/* Makes the later of two roots the first child of the earlier one. */
static struct plx__deadline *meld(struct plx__deadline *a, struct plx__deadline *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    struct plx__deadline *early = b->key < a->key ? b : a;
    struct plx__deadline *late = early == a ? b : a;
    late->previous = early;
    late->next = early->child;
    if (late->next != NULL) {
        late->next->previous = late;
    }
    early->child = late;
    return early;
}

/* The two passes of a pairing heap: pairs from left to right, then all into one from right to left.
 * The passes do not recurse, because ten thousand siblings are common here. */
static struct plx__deadline *meld_siblings(struct plx__deadline *first)
{
    struct plx__deadline *pairs = NULL;
    while (first != NULL) {
        struct plx__deadline *second = first->next;
        struct plx__deadline *rest = second == NULL ? NULL : second->next;
        first->next = NULL;
        if (second != NULL) {
            second->next = NULL;
        }
        struct plx__deadline *pair = meld(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    struct plx__deadline *root = NULL;
    while (pairs != NULL) {
        struct plx__deadline *next = pairs->next;
        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    if (root != NULL) {
        root->previous = NULL;
    }
    return root;
}

static void insert(struct plx__deadlines *deadlines, struct plx__deadline *deadline)
{
    deadline->key = deadline->at;
    deadlines->root = meld(deadlines->root, deadline);
}

void plx__deadline_remove(struct plx__deadlines *deadlines, struct plx__deadline *deadline)
{
    if (deadline->key == 0) {
        return;
    }
    struct plx__deadline *orphans = meld_siblings(deadline->child);
    if (deadlines->root == deadline) {
        deadlines->root = orphans;
    } else {
        struct plx__deadline *previous = deadline->previous;
        if (previous->child == deadline) {
            previous->child = deadline->next;
        } else {
            previous->next = deadline->next;
        }
        if (deadline->next != NULL) {
            deadline->next->previous = previous;
        }
        deadlines->root = meld(deadlines->root, orphans);
    }
    deadline->key = 0;
    deadline->child = deadline->next = deadline->previous = NULL;
}

void plx__deadline_set(struct plx__deadlines *deadlines, struct plx__deadline *deadline,
                       uint64_t at)
{
    deadline->at = at;
    if (deadlines == NULL || at == 0 || (deadline->key != 0 && deadline->key <= at)) {
        return;
    }
    plx__deadline_remove(deadlines, deadline);
    insert(deadlines, deadline);
}

/* Corrects the root until its key is its moment: removes a deadline that is unset, and moves one
 * that is due later to its place. */
static struct plx__deadline *settle_deadline(struct plx__deadlines *deadlines)
{
    struct plx__deadline *root;
    while ((root = deadlines->root) != NULL && root->at != root->key) {
        plx__deadline_remove(deadlines, root);
        if (root->at != 0) {
            insert(deadlines, root);
        }
    }
    return root;
}

uint64_t plx__deadlines_next(struct plx__deadlines *deadlines)
{
    struct plx__deadline *root = settle_deadline(deadlines);
    return root == NULL ? 0 : root->key;
}

struct plx__deadline *plx__deadlines_take(struct plx__deadlines *deadlines, uint64_t now)
{
    if (deadlines->root == NULL || deadlines->root->key > now) {
        return NULL;
    }
    struct plx__deadline *root = settle_deadline(deadlines);
    if (root == NULL || root->key > now) {
        return NULL;
    }
    plx__deadline_remove(deadlines, root);
    return root;
}
