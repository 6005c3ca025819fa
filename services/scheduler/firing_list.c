#include "firing_list.h"

#include <string.h>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "base/text_view.h"
#include "cron_expr.h"

enum { ARGUMENTS_EACH = 3, FIRINGS_MAX = 1000000 };

static int read_from(const char *text, int64_t *from_ms, struct err *err)
{
    if (strcmp(text, "now") == 0) {
        *from_ms = clock_wall_ms();
        return 0;
    }
    return rfc3339_parse_ms(text_view_of(text), from_ms, err);
}

static int read_count(const char *text, int64_t *count, struct err *err)
{
    if (text_view_read_int64(text_view_of(text), count, err) != 0)
        return -1;
    if (*count < -FIRINGS_MAX || *count > FIRINGS_MAX)
        return err_set(err, ERR_CONFIG, "at most %d firings are listed", FIRINGS_MAX);
    return 0;
}

static void print_firings(const struct cron_expr *cron, int64_t from_ms, int64_t count, FILE *out)
{
    const int64_t step = count < 0 ? 1 : -1;
    int64_t time_ms = from_ms;

    for (; count != 0; count += step) {
        const int64_t firing_ms =
            count < 0 ? cron_expr_previous_ms(cron, time_ms) : cron_expr_next_ms(cron, time_ms);
        char text[RFC3339_BYTES];

        rfc3339_format_s(firing_ms, text);
        fprintf(out, "%s\n", text);
        time_ms = count < 0 ? firing_ms - 1 : firing_ms;
    }
}

int firing_list_print(char **arguments, int count, FILE *out, struct err *err)
{
    if (count == 0 || count % ARGUMENTS_EACH != 0)
        return err_set(err, ERR_CONFIG,
                       "--next-firings takes EXPR FROM COUNT, for one expression or several");
    for (int i = 0; i < count; i += ARGUMENTS_EACH) {
        struct cron_expr cron;
        int64_t from_ms = 0;
        int64_t firings = 0;

        if (cron_expr_parse(text_view_of(arguments[i]), &cron, err) != 0)
            return -1;
        if (read_from(arguments[i + 1], &from_ms, err) != 0)
            return err_wrap(err, "FROM");
        if (read_count(arguments[i + 2], &firings, err) != 0)
            return err_wrap(err, "COUNT");
        print_firings(&cron, from_ms, firings, out);
    }
    return 0;
}
