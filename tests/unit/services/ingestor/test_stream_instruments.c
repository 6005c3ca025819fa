#include "tests/support/unit_test.h"

#include <stdio.h>
#include <string.h>

#include "ingestor/stream_instruments.h"

static void instruments_are_found_however_they_were_added(void **state)
{
    enum { INSTRUMENTS = 1218 };
    struct stream_instruments instruments = {0};
    struct stream_instrument *added[INSTRUMENTS];
    char inst_id[INST_ID_BYTES];

    (void)state;
    assert_null(stream_instruments_find(&instruments, "BTC-USDT"));
    for (int i = 0; i < INSTRUMENTS; i++) { /* neither ascending nor descending */
        snprintf(inst_id, sizeof inst_id, "%d-USDT", i * 601 % INSTRUMENTS);
        assert_null(stream_instruments_find(&instruments, inst_id));
        added[i] = stream_instruments_add(&instruments, inst_id);
    }
    for (int i = 0; i < INSTRUMENTS; i++) {
        snprintf(inst_id, sizeof inst_id, "%d-USDT", i * 601 % INSTRUMENTS);
        assert_ptr_equal(stream_instruments_find(&instruments, inst_id), added[i]);
        assert_string_equal(added[i]->inst_id, inst_id);
    }
    assert_null(stream_instruments_find(&instruments, ""));
    assert_null(stream_instruments_find(&instruments, "ZZZ"));
    stream_instruments_clear(&instruments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instruments_are_found_however_they_were_added)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
