/* Times: the input as text, and its first eight bytes as a time to write. */
#include "base/rfc3339.h"

#include "fuzz.h"

/* From 0001-01-01 to the end of 9999: the years that four digits can tell. */
static const int64_t FIRST_MS = -62135596800000, LAST_MS = 253402300799999;

static void check_text(struct text_view text)
{
    char formatted[RFC3339_BYTES];
    int64_t unix_ms, again = 0;
    struct err err = {0};

    fuzz_paint(&unix_ms, sizeof unix_ms);
    bool succeeded = rfc3339_parse_ms(text, &unix_ms, &err) == 0;
    if (succeeded || fuzz_is_utf8(text.data, text.length))
        fuzz_check_outcome(succeeded, &err);
    if (!succeeded) {
        FUZZ_CHECK(fuzz_is_painted(&unix_ms, sizeof unix_ms));
        return;
    }
    rfc3339_format_ms(unix_ms, formatted);
    if (unix_ms < FIRST_MS || unix_ms > LAST_MS)
        return; /* a zone moved it into the year 0 or 10000 */
    FUZZ_CHECK(rfc3339_parse_ms(text_view_of(formatted), &again, &err) == 0 && again == unix_ms);
}

/* Both readers accept the same, and differ only by the digits that the unit holds. */
static void check_microseconds(struct text_view text)
{
    char formatted[RFC3339_BYTES];
    int64_t unix_us, unix_ms = 0, again = 0;
    struct err err = {0}, ignored = {0};

    fuzz_paint(&unix_us, sizeof unix_us);
    bool succeeded = rfc3339_parse_us(text, &unix_us, &err) == 0;
    FUZZ_CHECK(succeeded == (rfc3339_parse_ms(text, &unix_ms, &ignored) == 0));
    if (!succeeded) {
        FUZZ_CHECK(fuzz_is_painted(&unix_us, sizeof unix_us));
        return;
    }
    FUZZ_CHECK(unix_ms == unix_us / 1000 - (unix_us % 1000 < 0));
    if (unix_ms < FIRST_MS || unix_ms > LAST_MS)
        return;
    rfc3339_format_us(unix_us, formatted);
    FUZZ_CHECK(rfc3339_parse_us(text_view_of(formatted), &again, &err) == 0 && again == unix_us);
}

static void check_time(int64_t time)
{
    char text[RFC3339_BYTES];
    int64_t again = 0;
    struct err err = {0};

    rfc3339_format_ms(time, text);
    FUZZ_CHECK(strlen(text) < RFC3339_BYTES);
    rfc3339_format_us(time, text);
    FUZZ_CHECK(strlen(text) < RFC3339_BYTES);
    if (time >= FIRST_MS * 1000 && time <= LAST_MS * 1000) {
        FUZZ_CHECK(rfc3339_parse_ms(text_view_of(text), &again, &err) == 0);
        FUZZ_CHECK(again == time / 1000 - (time % 1000 < 0));
    }
    rfc3339_format_s(time, text);
    FUZZ_CHECK(strlen(text) < RFC3339_BYTES);
}

static void check_calendar(int64_t unix_s)
{
    struct civil_time civil = civil_from_unix_s(unix_s);

    FUZZ_CHECK(civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= 31);
    FUZZ_CHECK(civil.hour >= 0 && civil.hour <= 23 && civil.minute >= 0 && civil.minute <= 59);
    FUZZ_CHECK(civil.second >= 0 && civil.second <= 59);
    FUZZ_CHECK(civil.weekday >= 0 && civil.weekday <= 6);
    FUZZ_CHECK(civil_to_unix_s(civil.year, civil.month, civil.day, civil.hour, civil.minute,
                               civil.second) == unix_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    check_text((struct text_view){.data = (const char *)data, .length = size});
    check_microseconds((struct text_view){.data = (const char *)data, .length = size});
    int64_t time = fuzz_take_int64(&input);
    check_time(time);
    check_calendar(time / 1000);
    return 0;
}
