#include "domain/candle_bar.h"

#include <stddef.h>
#include <string.h>

#include "base/rfc3339.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Midnight in UTC+8, and the first Monday after the epoch (1970-01-05). */
#define CHINA  (-8 * HOUR)
#define MONDAY (4 * DAY)

/* Far beyond any market (the year 275760), and safe to calculate with. */
#define TIME_MAX (INT64_C(100000000) * DAY)

/* OKX does not document where bars of 2, 3 and 5 days begin; they are counted from the epoch here,
 * in their zone, as its single days are. */
static const struct candle_bar bars[] = {
    {.name = "1s", .duration_ms = SECOND},
    {.name = "1m", .duration_ms = MINUTE},
    {.name = "3m", .duration_ms = 3 * MINUTE},
    {.name = "5m", .duration_ms = 5 * MINUTE},
    {.name = "15m", .duration_ms = 15 * MINUTE},
    {.name = "30m", .duration_ms = 30 * MINUTE},
    {.name = "1H", .duration_ms = HOUR},
    {.name = "2H", .duration_ms = 2 * HOUR},
    {.name = "4H", .duration_ms = 4 * HOUR},
    {.name = "6H", .duration_ms = 6 * HOUR, .offset_ms = CHINA},
    {.name = "12H", .duration_ms = 12 * HOUR, .offset_ms = CHINA},
    {.name = "1D", .duration_ms = DAY, .offset_ms = CHINA},
    {.name = "2D", .duration_ms = 2 * DAY, .offset_ms = CHINA},
    {.name = "3D", .duration_ms = 3 * DAY, .offset_ms = CHINA},
    {.name = "5D", .duration_ms = 5 * DAY, .offset_ms = CHINA},
    {.name = "1W", .duration_ms = 7 * DAY, .offset_ms = MONDAY + CHINA},
    {.name = "1M", .months = 1, .is_utc_plus_8 = true},
    {.name = "3M", .months = 3, .is_utc_plus_8 = true},
    {.name = "6Hutc", .duration_ms = 6 * HOUR},
    {.name = "12Hutc", .duration_ms = 12 * HOUR},
    {.name = "1Dutc", .duration_ms = DAY},
    {.name = "2Dutc", .duration_ms = 2 * DAY},
    {.name = "3Dutc", .duration_ms = 3 * DAY},
    {.name = "5Dutc", .duration_ms = 5 * DAY},
    {.name = "1Wutc", .duration_ms = 7 * DAY, .offset_ms = MONDAY},
    {.name = "1Mutc", .months = 1},
    {.name = "3Mutc", .months = 3},
};

const struct candle_bar *candle_bar_find(const char *name)
{
    for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++)
        if (strcmp(bars[i].name, name) == 0)
            return &bars[i];
    return NULL;
}

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

static int64_t zone_offset_ms(const struct candle_bar *bar)
{
    return bar->is_utc_plus_8 ? CHINA : 0;
}

/* Bars of a size are numbered in order of time; both directions. */
static int64_t index_at(const struct candle_bar *bar, int64_t unix_ms)
{
    if (unix_ms > TIME_MAX)
        unix_ms = TIME_MAX;
    if (unix_ms < -TIME_MAX)
        unix_ms = -TIME_MAX;
    if (bar->months == 0)
        return floor_divide(unix_ms - bar->offset_ms, bar->duration_ms);
    int64_t local_s = floor_divide(unix_ms - zone_offset_ms(bar), SECOND);
    struct civil_time civil = civil_from_unix_s(local_s);
    return floor_divide((int64_t)civil.year * 12 + civil.month - 1, bar->months);
}

static int64_t open_of(const struct candle_bar *bar, int64_t index)
{
    if (bar->months == 0)
        return index * bar->duration_ms + bar->offset_ms;
    int64_t month = index * bar->months;
    int64_t year = floor_divide(month, 12);
    int64_t local_s = civil_to_unix_s((int)year, (int)(month - year * 12) + 1, 1, 0, 0, 0);
    return local_s * SECOND + zone_offset_ms(bar);
}

/* The number of the first bar that opens at unix_ms or later. */
static int64_t first_index_from(const struct candle_bar *bar, int64_t unix_ms)
{
    int64_t index = index_at(bar, unix_ms);
    return open_of(bar, index) < unix_ms ? index + 1 : index;
}

int64_t candle_bar_floor(const struct candle_bar *bar, int64_t unix_ms)
{
    return open_of(bar, index_at(bar, unix_ms));
}

int64_t candle_bar_next(const struct candle_bar *bar, int64_t open_time_ms)
{
    return open_of(bar, index_at(bar, open_time_ms) + 1);
}

int64_t candle_bar_count(const struct candle_bar *bar, int64_t from_ms, int64_t to_ms)
{
    if (to_ms <= from_ms)
        return 0;
    return first_index_from(bar, to_ms) - first_index_from(bar, from_ms);
}
