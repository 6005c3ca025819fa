#include "ingestor/trade_frame.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingestor/okx_message.h"
#include "tests/support/random_record.h"
#include "tests/support/unit_test.h"

static const char whole_frame[] =
    "{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"BTC-USDT\"},\"data\":[{"
    "\"instId\":\"BTC-USDT\",\"tradeId\":\"130639474\",\"px\":\"42219.9\",\"sz\":\"0.12060306\","
    "\"side\":\"buy\",\"source\":\"0\",\"ts\":\"1630048897897\"}]}";
static const char aggregate_frame[] =
    "{\"arg\":{\"channel\":\"trades\",\"instId\":\"BTC-USDT\"},\"data\":[{"
    "\"instId\":\"BTC-USDT\",\"tradeId\":\"130639474\",\"px\":\"42219.9\",\"sz\":\"0.12060306\","
    "\"side\":\"sell\",\"ts\":\"1630048897897\",\"count\":\"3\",\"source\":\"0\",\"seqId\":1234}]}";

/* --- against okx_message ------------------------------------------------------------------------
 */

static bool is_same_number(struct optional_int64 a, struct optional_int64 b)
{
    return a.present == b.present && (!a.present || a.value == b.value);
}

static bool is_same_trade(const struct trade *a, const struct trade *b)
{
    return strcmp(a->inst_id, b->inst_id) == 0 && a->trade_id == b->trade_id &&
           decimal_compare(a->price, b->price) == 0 && decimal_compare(a->size, b->size) == 0 &&
           a->side == b->side && a->event_time_ms == b->event_time_ms &&
           is_same_number(a->count, b->count) && strcmp(a->source, b->source) == 0 &&
           is_same_number(a->sequence_id, b->sequence_id) && a->extra.count == b->extra.count;
}

/* True when the short way took the frame, which must then be what the long way makes of it. */
static bool agree(const char *text, size_t length, const char *channel)
{
    struct okx_frame frame = {0};
    struct trade taken;
    struct trade read;
    struct err err = {0};

    if (!trade_frame_read(text, length, channel, &taken))
        return false;
    if (okx_frame_read(text, length, &frame, &err) != 0 || frame.kind != OKX_FRAME_DATA ||
        okx_rows_count(frame.rows) != 1 || okx_rows_read_trade(frame.rows, 0, &read, &err) != 0)
        fail_msg("taken, but not by okx_message (%s): %.*s", err.message, (int)length, text);
    if (!is_same_trade(&taken, &read) || strcmp(frame.channel, channel) != 0 ||
        strcmp(frame.inst_id, taken.inst_id) != 0)
        fail_msg("read in two ways: %.*s", (int)length, text);
    trade_clear(&read);
    okx_frame_clear(&frame);
    return true;
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void the_usual_frames_are_taken(void **state)
{
    struct trade trade;

    (void)state;
    assert_true(agree(whole_frame, strlen(whole_frame), "trades-all"));
    assert_true(agree(aggregate_frame, strlen(aggregate_frame), "trades"));
    assert_true(trade_frame_read(aggregate_frame, strlen(aggregate_frame), "trades", &trade));
    assert_string_equal(trade.inst_id, "BTC-USDT");
    assert_int_equal(trade.trade_id, 130639474);
    assert_int_equal(trade.side, TRADE_SIDE_SELL);
    assert_int_equal(trade.event_time_ms, 1630048897897);
    assert_int_equal(trade.count.value, 3);
    assert_int_equal(trade.sequence_id.value, 1234);
    assert_string_equal(trade.source, "0");
}

/* A frame with this row, of the channel "trades". */
static char *frame_of(const char *row)
{
    return mem_sprintf("{\"arg\":{\"channel\":\"trades\",\"instId\":\"X\"},\"data\":[%s]}", row);
}

struct row_case {
    const char *name;
    const char *row;
    bool is_taken;
};

#define START "{\"instId\":\"X\",\"tradeId\":\"7\",\"px\":\"1\",\"sz\":\"2\",\"side\":\"buy\""
static const struct row_case row_cases[] = {
    {"least", START ",\"ts\":\"1\"}", true},
    {"another order",
     "{\"ts\":\"1\",\"side\":\"buy\",\"sz\":\"2\",\"px\":\"1\",\"tradeId\":\"7\",\"instId\":\"X\"}",
     true},
    {"numbers without quotes",
     "{\"instId\":\"X\",\"tradeId\":7,\"px\":\"1\",\"sz\":\"2\",\"side\":\"buy\",\"ts\":1}", true},
    {"exponent",
     "{\"instId\":\"X\",\"tradeId\":\"7\",\"px\":\"1e-7\",\"sz\":\"2E3\",\"side\":\"buy\""
     ",\"ts\":\"1\"}",
     true},
    {"empty source", START ",\"ts\":\"1\",\"source\":\"\"}", true},
    {"zero in front of a quoted number", START ",\"ts\":\"01\"}", true},
    {"unknown member", START ",\"ts\":\"1\",\"new\":\"1\"}", false},
    {"twice the same", START ",\"ts\":\"1\",\"px\":\"3\"}", false},
    {"ts is missing", START "}", false},
    {"empty count", START ",\"ts\":\"1\",\"count\":\"\"}", false},
    {"null", START ",\"ts\":\"1\",\"count\":null}", false},
    {"impossible count", START ",\"ts\":\"1\",\"count\":\"9\"}", false},
    {"no count", START ",\"ts\":\"1\",\"count\":\"0\"}", false},
    {"negative", START ",\"ts\":\"-1\"}", false},
    {"beyond the calendar", START ",\"ts\":\"253402300800000\"}", false},
    {"more digits than we count", START ",\"ts\":\"1\",\"seqId\":9223372036854775807}", false},
    {"bare zero in front", START ",\"ts\":01}", false},
    {"fraction", START ",\"ts\":1.0}", false},
    {"escape", START ",\"ts\":\"1\",\"source\":\"\\u0030\"}", false},
    {"beyond ASCII", START ",\"ts\":\"1\",\"source\":\"\xC3\xA9\"}", false},
    {"no UTF-8", START ",\"ts\":\"1\",\"source\":\"\xFF\"}", false},
    {"control character", START ",\"ts\":\"1\",\"source\":\"\t\"}", false},
    {"white space", START ", \"ts\":\"1\"}", false},
    {"another instrument",
     "{\"instId\":\"Y\",\"tradeId\":\"7\",\"px\":\"1\",\"sz\":\"2\","
     "\"side\":\"buy\",\"ts\":\"1\"}",
     false},
    {"two rows", START ",\"ts\":\"1\"}," START ",\"ts\":\"1\"}", false},
    {"no row", "", false},
    {"number for a price",
     "{\"instId\":\"X\",\"tradeId\":\"7\",\"px\":1,\"sz\":\"2\",\"side\":\"buy\",\"ts\":\"1\"}",
     false},
    {"too many decimals",
     "{\"instId\":\"X\",\"tradeId\":\"7\",\"px\":\"0.0000000000000000001\",\"sz\":\"2\","
     "\"side\":\"buy\",\"ts\":\"1\"}",
     false},
    {"unknown side",
     "{\"instId\":\"X\",\"tradeId\":\"7\",\"px\":\"1\",\"sz\":\"2\",\"side\":\"hold\",\"ts\":"
     "\"1\"}",
     false},
    {"a member too long", START ",\"ts\":\"1\",\"source\":\"01234567890123456789012345678901\"}",
     false},
};

static void what_is_taken_is_read_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof row_cases / sizeof *row_cases; i++) {
        const struct row_case *row = &row_cases[i];
        char *text = frame_of(row->row);

        if (agree(text, strlen(text), "trades") != row->is_taken)
            fail_msg("%s: %s", row->name, row->is_taken ? "not taken" : "taken");
        free(text);
    }
}

static void other_frames_are_left_alone(void **state)
{
    static const char *const frames[] = {
        "",
        "pong",
        "{\"event\":\"subscribe\",\"arg\":{\"channel\":\"trades-all\",\"instId\":\"BTC-USDT\"}}",
        "{\"arg\":{\"channel\":\"trades-all\",\"instId\":\"BTC-USDT\"},\"data\":[]}",
        aggregate_frame, /* another channel */
    };
    struct trade trade = {.trade_id = 5};

    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        if (trade_frame_read(frames[i], strlen(frames[i]), "trades-all", &trade))
            fail_msg("taken: %s", frames[i]);
    }
    assert_int_equal(trade.trade_id, 5);
}

static void a_frame_cut_short_is_left_alone(void **state)
{
    size_t length = strlen(whole_frame);
    struct trade trade;

    (void)state;
    for (size_t i = 0; i < length; i++) {
        char *exact = mem_strndup(whole_frame, i); /* so that a sanitizer sees a step too far */

        assert_false(trade_frame_read(exact, i, "trades-all", &trade));
        free(exact);
    }
    for (size_t i = 1; i < length; i++)
        assert_false(trade_frame_read(whole_frame + i, length - i, "trades-all", &trade));
}

/* One to three bytes changed, dropped or doubled: mostly no frame any more, and sometimes another.
 */
static size_t mutate(const char *text, size_t length, uint64_t *random, char *mutant)
{
    static const char bytes[] = "\"\\{}[]:,.-+eE 0123456789abXz_\t\xC3";

    memcpy(mutant, text, length);
    for (uint64_t changes = 1 + random_below(random, 3); changes > 0; changes--) {
        size_t at = (size_t)random_below(random, length);

        switch (random_below(random, 3)) {
        case 0:
            mutant[at] = bytes[random_below(random, sizeof bytes - 1)];
            break;
        case 1:
            memmove(mutant + at, mutant + at + 1, length - at - 1);
            length--;
            break;
        default:
            memmove(mutant + at + 1, mutant + at, length - at);
            length++;
            break;
        }
    }
    return length;
}

static void mutants_are_taken_exactly_or_not_at_all(void **state)
{
    static const struct {
        const char *frame, *channel;
    } sources[] = {{whole_frame, "trades-all"}, {aggregate_frame, "trades"}};
    uint64_t random = 20241127;
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        const char *frame = sources[i % 2].frame;
        char mutant[512];
        size_t length = mutate(frame, strlen(frame), &random, mutant);

        taken += agree(mutant, length, sources[i % 2].channel);
    }
    assert_true(taken > 1000); /* digits become other digits: else this would show little */
}

/* --- recorded messages --------------------------------------------------------------------------
 */

static size_t agree_on_capture(const char *folder, const char *name)
{
    char *path = mem_sprintf("%s/%s", folder, name);
    char *text = mem_alloc(1 << 20);
    FILE *file = fopen(path, "re");
    size_t length = 0;
    size_t taken;

    assert_non_null(file);
    length = fread(text, 1, 1 << 20, file);
    (void)fclose(file);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
        length--;
    taken = agree(text, length, "trades") || agree(text, length, "trades-all");
    free(text);
    free(path);
    return taken;
}

static void recorded_frames_are_read_the_same(void **state)
{
    const char *folder = getenv("OKX_CAPTURES");
    DIR *directory;
    const struct dirent *entry;
    size_t taken = 0;

    (void)state;
    folder = folder ? folder : "../shared/data/okx";
    directory = opendir(folder);
    if (!directory) {
        print_message("no recorded messages in %s\n", folder);
        skip();
    }
    while ((entry = readdir(directory))) {
        if (strncmp(entry->d_name, "ws-", 3) == 0)
            taken += agree_on_capture(folder, entry->d_name);
    }
    closedir(directory);
    assert_true(taken > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_frames_are_taken),
        cmocka_unit_test(what_is_taken_is_read_the_same),
        cmocka_unit_test(other_frames_are_left_alone),
        cmocka_unit_test(a_frame_cut_short_is_left_alone),
        cmocka_unit_test(mutants_are_taken_exactly_or_not_at_all),
        cmocka_unit_test(recorded_frames_are_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
