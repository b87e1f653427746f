/* lib/base/deadline.c -- moments by which something must be done. */
#include "config.h"

#include "lib/base/deadline.h"

#include <stdbool.h>

/* Makes one of two roots a child of the other. All of `older` were inserted before all of `younger`:
 * the children of a root, and their children, are in that order from the first to the last one. */
static struct plx__deadline *meld(struct plx__deadline *older, struct plx__deadline *younger)
{
    if (older == NULL || younger == NULL) {
        return older == NULL ? younger : older;
    }
    bool in_front = younger->key < older->key;
    struct plx__deadline *parent = in_front ? younger : older;
    struct plx__deadline *child = in_front ? older : younger;
    struct plx__deadline *last = parent->child;
    if (last == NULL) {
        child->next = child;
        child->previous = parent;
        parent->child = child;
        return parent;
    }
    child->next = last->next;
    last->next = child;
    if (in_front) {
        child->next->previous = child;
        child->previous = parent;
    } else {
        child->previous = last;
        parent->child = child;
    }
    return parent;
}

/* The two passes of a pairing heap: pairs from left to right, then all into one from right to left.
 * The passes do not recurse, because ten thousand siblings are common here. */
static struct plx__deadline *meld_siblings(struct plx__deadline *last)
{
    struct plx__deadline *pairs = NULL;
    struct plx__deadline *first = last == NULL ? NULL : last->next;
    while (first != NULL) {
        struct plx__deadline *second = first == last ? NULL : first->next;
        struct plx__deadline *rest = second == NULL || second == last ? NULL : second->next;
        struct plx__deadline *pair = meld(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    struct plx__deadline *root = NULL;
    while (pairs != NULL) {
        struct plx__deadline *next = pairs->next;
        root = meld(pairs, root);
        pairs = next;
    }
    return root;
}

static void insert(struct plx__deadlines *deadlines, struct plx__deadline *deadline)
{
    deadline->key = deadline->at;
    deadlines->root = meld(deadlines->root, deadline);
}

/* Puts a tree, or NULL, in the place of a child. To meld the tree with the root was rejected: its
 * members would then be the youngest. */
static void replace(struct plx__deadline *child, struct plx__deadline *tree)
{
    struct plx__deadline *previous = child->previous, *next = child->next;
    bool is_first = previous->child != NULL && previous->child->next == child;
    bool is_last = next->previous != child;
    if (tree != NULL) {
        tree->previous = previous;
        tree->next = is_first && is_last ? tree : next;
    }
    *(is_first ? &previous->child->next : &previous->next) = tree == NULL ? next : tree;
    *(is_last ? &next->previous->child : &next->previous) = tree == NULL ? previous : tree;
    if (is_first && is_last && tree == NULL) {
        previous->child = NULL;
    }
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
        replace(deadline, orphans);
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
