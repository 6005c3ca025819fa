/* Items that travel together, in the order they came. Owns them. Pure. */
#ifndef PERSISTER_ITEM_CHAIN_H
#define PERSISTER_ITEM_CHAIN_H

#include <stddef.h>

#include "persist_item.h"

/* Zeroed: empty. */
struct item_chain {
    struct persist_item *first, *last;
    size_t count;
};

/* Takes item. */
void item_chain_append(struct item_chain *chain, struct persist_item *item);
/* Destroys the items whose partition was given up since. */
void item_chain_drop_stale(struct item_chain *chain);
void item_chain_clear(struct item_chain *chain);

#endif
