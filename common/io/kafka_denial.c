#include "io/kafka_denial.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void kafka_denial_init(struct kafka_denial *denial, const char *group_id)
{
    *denial = (struct kafka_denial){.group_id = mem_strdup(group_id)};
}

void kafka_denial_clear(struct kafka_denial *denial)
{
    free(denial->group_id);
    denial->group_id = NULL;
}

bool kafka_denial_note(struct kafka_denial *denial, struct partition_set *partitions,
                       const rd_kafka_message_t *error)
{
    struct partition_state *state = NULL;

    if (error->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        denial->is_group_denied = true;
        return true;
    }
    if (error->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && error->rkt)
        state = partition_set_find(partitions, rd_kafka_topic_name(error->rkt), error->partition);
    if (state)
        state->is_denied = true;
    return state != NULL;
}

void kafka_denial_joined(struct kafka_denial *denial)
{
    denial->is_group_denied = false;
}

void kafka_denial_refresh(struct kafka_denial *denial, rd_kafka_t *client,
                          struct partition_set *partitions)
{
    denial->text[0] = '\0';
    for (size_t i = 0; i < partitions->count; i++) {
        struct partition_state *state = &partitions->states[i];
        int64_t begin = -1, end = -1;

        if (!state->is_denied)
            continue;
        /* Nothing tells that a partition is granted; but a refused fetch knows no end of it, and
         * one that succeeds does. */
        rd_kafka_get_watermark_offsets(client, state->topic, state->partition, &begin, &end);
        state->is_denied = end < 0;
        if (state->is_denied)
            (void)snprintf(denial->text, sizeof denial->text, "not allowed to read topic %s",
                           state->topic);
    }
    if (denial->is_group_denied)
        (void)snprintf(denial->text, sizeof denial->text, "not allowed to join group %s",
                       denial->group_id);
}

const char *kafka_denial_text(const struct kafka_denial *denial)
{
    return denial->text[0] ? denial->text : NULL;
}
