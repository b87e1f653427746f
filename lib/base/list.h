/* lib/base/list.h -- the one list, doubly linked, circular, with the links inside the members.
 *
 * Design: the list allocates nothing, and a member is appended and removed without a walk and
 * without knowing its list. The list itself is a link, the only one that belongs to no member:
 *
 *      +--------------------------------------------------+
 *      +-> list <--> first <--> second <--> ... <--> last <+
 *
 * Invariants: in a list, link->next->previous == link and link->previous->next == link. A link that
 * is in no list is all zero, so a zeroed member is valid. An empty list points to itself. A zeroed
 * list is empty, too, but must be initialised before a link is inserted. A list must not be moved
 * or copied while it has members. */
#ifndef PLX_LIB_LIST_H
#define PLX_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct plx__list {
    struct plx__list *next, *previous;
};

/* plx__list_init makes the list empty, whatever its memory contained. */
static inline void plx__list_init(struct plx__list *list)
{
    list->next = list;
    list->previous = list;
}

/* plx__list_is_linked returns whether a link is in a list. */
static inline bool plx__list_is_linked(const struct plx__list *link)
{
    return link->next != NULL;
}

/* plx__list_is_empty returns whether a list has no members. */
static inline bool plx__list_is_empty(const struct plx__list *list)
{
    return list->next == list || list->next == NULL;
}

/* plx__list_insert inserts an unlinked link before another link, or, before the list itself, at the
 * end. */
static inline void plx__list_insert(struct plx__list *before, struct plx__list *link)
{
    link->next = before;
    link->previous = before->previous;
    before->previous->next = link;
    before->previous = link;
}

/* plx__list_append inserts an unlinked link at the end. */
static inline void plx__list_append(struct plx__list *list, struct plx__list *link)
{
    plx__list_insert(list, link);
}

/* plx__list_remove removes a link from its list, if the link is in one, and zeroes the link. */
static inline void plx__list_remove(struct plx__list *link)
{
    if (link->next == NULL) {
        return;
    }
    link->next->previous = link->previous;
    link->previous->next = link->next;
    link->next = NULL;
    link->previous = NULL;
}

/* plx__list_first returns the first link without removing it; NULL when the list is empty. */
static inline struct plx__list *plx__list_first(const struct plx__list *list)
{
    return plx__list_is_empty(list) ? NULL : list->next;
}

/* plx__list_take_first removes the first link and returns it; NULL when the list is empty. */
static inline struct plx__list *plx__list_take_first(struct plx__list *list)
{
    struct plx__list *link = plx__list_first(list);
    if (link != NULL) {
        plx__list_remove(link);
    }
    return link;
}

/* plx__list_splice moves all members of another list, `from`, to the end of `list`. */
static inline void plx__list_splice(struct plx__list *list, struct plx__list *from)
{
    if (plx__list_is_empty(from)) {
        return;
    }
    from->next->previous = list->previous;
    from->previous->next = list;
    list->previous->next = from->next;
    list->previous = from->previous;
    plx__list_init(from);
}

#endif
