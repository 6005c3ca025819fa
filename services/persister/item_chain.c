#include "item_chain.h"

void item_chain_append(struct item_chain *chain, struct persist_item *item)
{
    if (chain->last)
        chain->last->next = item;
    else
        chain->first = item;
    chain->last = item;
    chain->count++;
}

void item_chain_drop_stale(struct item_chain *chain)
{
    struct item_chain kept = {0};
    struct persist_item *next;

    for (struct persist_item *item = chain->first; item; item = next) {
        next = item->next;
        item->next = NULL;
        if (persist_item_is_stale(item))
            persist_item_destroy(item);
        else
            item_chain_append(&kept, item);
    }
    *chain = kept;
}

void item_chain_clear(struct item_chain *chain)
{
    struct persist_item *next;

    for (struct persist_item *item = chain->first; item; item = next) {
        next = item->next;
        persist_item_destroy(item);
    }
    *chain = (struct item_chain){0};
}
