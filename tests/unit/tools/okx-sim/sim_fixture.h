/* What the tests of the simulator share: a tape at a known time, and JSON answers taken apart. */
#ifndef OKX_SIM_SIM_FIXTURE_H
#define OKX_SIM_SIM_FIXTURE_H

#include <jansson.h>
#include <stdlib.h>

#include "okx-sim/tape.h"
#include "tests/support/unit_test.h"

/* 2026-11-23T12:00:30Z: in the middle of a minute. */
#define FIXTURE_NOW_MS INT64_C(1795435230000)

static inline struct tape *fixture_tape(const char *list, int64_t micro_rate)
{
    struct market market = {.seed = 1, .micro_rate = micro_rate};
    struct instrument *instruments = NULL;
    struct err err;
    int count = instrument_list_parse(text_view_of(list), &instruments, &err);

    if (count < 0)
        fail_msg("%s", err.message);
    return tape_create(market, instruments, (size_t)count, FIXTURE_NOW_MS);
}

/* The member of a JSON object as an integer, whether it is written as text or as a number. */
static inline int64_t fixture_int(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    struct err err;
    int64_t number = json_integer_value(value);

    if (json_is_string(value) &&
        text_view_read_int64(text_view_of(json_string_value(value)), &number, &err) != 0)
        fail_msg("%s: %s", member, err.message);
    else if (!json_is_string(value) && !json_is_integer(value))
        fail_msg("%s is no number", member);
    return number;
}

#endif
