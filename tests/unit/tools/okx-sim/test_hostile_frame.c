#include "okx-sim/hostile_frame.h"

#include <string.h>

#include "tests/support/unit_test.h"

enum { PIECE_BYTES = 64 * 1024, OUT_BYTES_MAX = 32 << 20 };

/* The whole of a form in one buffer, taken piece by piece. */
static void write_all(enum hostile_form form, int64_t bytes, struct buf *out, size_t *largest)
{
    struct hostile_frame frame = {.form = form, .bytes = bytes, .inst_id = "BTC-USDT"};
    bool goes_on = true;

    *largest = 0;
    while (goes_on) {
        size_t start = out->length;

        goes_on = hostile_frame_append(&frame, PIECE_BYTES, out);
        if (out->length - start > *largest)
            *largest = out->length - start;
    }
    assert_false(out->overflowed);
}

struct frame {
    unsigned opcode;
    bool is_final;
    uint64_t length;
    const char *payload;
};

static size_t read_frame(const struct buf *out, size_t at, struct frame *frame)
{
    const unsigned char *bytes = (const unsigned char *)out->data + at;
    size_t length_bytes = bytes[1] == 127 ? 8 : bytes[1] == 126 ? 2 : 0;

    frame->opcode = bytes[0] & 15;
    frame->is_final = (bytes[0] & 0x80) != 0;
    frame->length = length_bytes == 0 ? bytes[1] : 0;
    for (size_t i = 0; i < length_bytes; i++)
        frame->length = frame->length << 8 | bytes[2 + i];
    frame->payload = out->data + at + 2 + length_bytes;
    return at + 2 + length_bytes + (size_t)frame->length;
}

static void every_form_has_a_name(void **state)
{
    static const char *const names[] = {"huge",   "fragments", "endless", "rows",  "nested",
                                        "digits", "number",    "utf8",    "nul",   "empty",
                                        "binary", "texts",     "types",   "opcode"};
    enum hostile_form form = HOSTILE_FORMS;

    (void)state;
    assert_int_equal(sizeof names / sizeof names[0], HOSTILE_FORMS);
    for (size_t i = 0; i < HOSTILE_FORMS; i++) {
        assert_true(hostile_form_read(names[i], &form));
        assert_int_equal(form, i);
    }
    assert_false(hostile_form_read("friendly", &form));
    assert_int_equal(hostile_form_bytes(HOSTILE_HUGE), 100000000);
}

static void one_frame_of_any_size_comes_in_pieces(void **state)
{
    struct frame frame;
    struct buf out;
    size_t largest = 0;

    (void)state;
    buf_init(&out, OUT_BYTES_MAX);
    write_all(HOSTILE_HUGE, 1000000, &out, &largest);
    assert_true(largest <= PIECE_BYTES + 10);
    assert_int_equal(read_frame(&out, 0, &frame), out.length);
    assert_int_equal(frame.length, 1000000);
    assert_true(frame.is_final);
    buf_clear(&out);
}

static void a_message_in_fragments_ends_with_the_last(void **state)
{
    struct frame frame = {0};
    struct buf out;
    size_t largest = 0, at = 0, count = 0;
    uint64_t sum = 0;

    (void)state;
    buf_init(&out, OUT_BYTES_MAX);
    write_all(HOSTILE_FRAGMENTS, 200000, &out, &largest);
    while (at < out.length) {
        assert_false(frame.is_final);
        at = read_frame(&out, at, &frame);
        assert_int_equal(frame.opcode, count == 0 ? 1 : 0);
        sum += frame.length;
        count++;
    }
    assert_true(frame.is_final);
    assert_int_equal(sum, 200000);
    assert_int_equal(count, 4);
    buf_clear(&out);
}

static void an_endless_frame_announces_more_than_comes(void **state)
{
    struct frame frame;
    struct buf out;
    size_t largest = 0;

    (void)state;
    buf_init(&out, OUT_BYTES_MAX);
    write_all(HOSTILE_ENDLESS, 1000, &out, &largest);
    (void)read_frame(&out, 0, &frame);
    assert_true(frame.length == UINT64_C(1) << 62);
    assert_int_equal(out.length, 10 + 1000);
    buf_clear(&out);
}

static void small_forms_are_whole_frames(void **state)
{
    static const struct {
        enum hostile_form form;
        int64_t bytes;
        size_t frames;
        const char *holds;
    } cases[] = {
        {HOSTILE_ROWS, 30, 1, "\"data\":[{},{},"},
        {HOSTILE_NESTED, 3, 1, "[[[[]]]]"},
        {HOSTILE_DIGITS, 3, 1, "\"px\":\"999\"}"},
        {HOSTILE_NUMBER, 3, 1, "\"px\":999}"},
        {HOSTILE_UTF8, 0, 1, "\xc0\xaf"},
        {HOSTILE_NUL, 0, 1, "\\u0000"},
        {HOSTILE_EMPTY, 0, 1, ""},
        {HOSTILE_BINARY, 300, 1, "\x01\x02\x03"},
        {HOSTILE_TEXTS, 200, 5, "\"msg\":\"aaa"},
        {HOSTILE_TYPES, 0, 16, "\"tradeId\":1.5"},
        {HOSTILE_OPCODE, 0, 1, ""},
    };
    struct buf out;
    size_t largest = 0;

    (void)state;
    buf_init(&out, OUT_BYTES_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame frame;
        size_t at = 0, count = 0;

        buf_reset(&out);
        write_all(cases[i].form, cases[i].bytes, &out, &largest);
        for (; at < out.length; count++) {
            at = read_frame(&out, at, &frame);
            assert_true(frame.is_final);
        }
        assert_int_equal(at, out.length);
        assert_int_equal(count, cases[i].frames);
        if (!memmem(out.data, out.length, cases[i].holds, strlen(cases[i].holds)))
            fail_msg("form %d lacks '%s'", (int)cases[i].form, cases[i].holds);
    }
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_has_a_name),
        cmocka_unit_test(one_frame_of_any_size_comes_in_pieces),
        cmocka_unit_test(a_message_in_fragments_ends_with_the_last),
        cmocka_unit_test(an_endless_frame_announces_more_than_comes),
        cmocka_unit_test(small_forms_are_whole_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
