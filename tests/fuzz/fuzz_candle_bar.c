/* Bar sizes: a name up to the first line feed, behind it three times. A name that OKX does not have
 * stands for the bar of a number. */
#include "domain/candle_bar.h"

#include <stdlib.h>

#include "fuzz.h"

static const int64_t YEAR_275760_MS = INT64_C(8640000000000000);
static const int64_t LONGEST_MS = INT64_C(92) * 24 * 3600 * 1000; /* of the bars */

static const struct candle_bar *choose(const char *name)
{
    static const char *const names[] = {
        "1s", "1m", "3m", "15m",   "1H",    "4H",    "6H",    "12H",   "1D",    "3D",   "5D",
        "1W", "1M", "3M", "6Hutc", "1Dutc", "2Dutc", "5Dutc", "1Wutc", "1Mutc", "3Mutc"};
    const struct candle_bar *bar = candle_bar_find(name);

    if (!bar)
        bar = candle_bar_find(names[strlen(name) % (sizeof names / sizeof *names)]);
    FUZZ_CHECK(bar && candle_bar_find(bar->name) == bar);
    return bar;
}

/* Within the calendar, and the bar's ends too, each time lies in exactly one bar. */
static void check_bar(const struct candle_bar *bar, int64_t time)
{
    int64_t open = candle_bar_floor(bar, time), next = candle_bar_next(bar, open);

    if (time >= YEAR_275760_MS - LONGEST_MS || time <= LONGEST_MS - YEAR_275760_MS)
        return;
    FUZZ_CHECK(open <= time && time < next);
    FUZZ_CHECK(candle_bar_floor(bar, open) == open && candle_bar_floor(bar, next - 1) == open);
    FUZZ_CHECK(bar->duration_ms == 0 || next - open == bar->duration_ms);
    FUZZ_CHECK(candle_bar_count(bar, open, next) == 1);
    FUZZ_CHECK(candle_bar_count(bar, open + 1, next) == 0);
    FUZZ_CHECK(candle_bar_count(bar, open, next + 1) == 2);
}

static void check_count(const struct candle_bar *bar, int64_t from, int64_t to, int64_t between)
{
    int64_t count = candle_bar_count(bar, from, to);

    FUZZ_CHECK(count >= 0 && (from < to || count == 0));
    if (from <= between && between <= to)
        FUZZ_CHECK(count ==
                   candle_bar_count(bar, from, between) + candle_bar_count(bar, between, to));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *name = fuzz_text(fuzz_take_until(&input, '\n'));
    const struct candle_bar *bar = choose(name);
    int64_t times[3];

    for (size_t i = 0; i < 3; i++) {
        times[i] = fuzz_take_int64(&input);
        check_bar(bar, times[i]);
    }
    check_count(bar, times[0], times[1], times[2]);
    check_count(bar, times[0] % YEAR_275760_MS, times[1] % YEAR_275760_MS,
                times[2] % YEAR_275760_MS);
    free(name);
    return 0;
}
