#include "job_schedule.h"

#include "base/text_view.h"

static const int64_t CLOCK_STEP_MAX_MS = INT64_C(24) * 60 * 60 * 1000;

int job_schedule_parse(const char *text, struct job_schedule *job, struct err *err)
{
    struct job_schedule parsed = {.is_enabled = true};

    if (text_view_equals(text_view_trim(text_view_of(text)), "off"))
        parsed.is_enabled = false;
    else if (cron_expr_parse(text_view_of(text), &parsed.cron, err) != 0)
        return -1;
    *job = parsed;
    return 0;
}

static bool has_credible_last_firing(const struct job_schedule *job, int64_t now_ms)
{
    return job->last_firing_ms.present && job->last_firing_ms.value <= now_ms + CLOCK_STEP_MAX_MS;
}

bool job_schedule_is_due(const struct job_schedule *job, int64_t now_ms, int64_t *firing_ms)
{
    int64_t newest_ms = 0;

    if (!job->is_enabled)
        return false;
    newest_ms = cron_expr_previous_ms(&job->cron, now_ms);
    if (has_credible_last_firing(job, now_ms) && job->last_firing_ms.value >= newest_ms)
        return false;
    *firing_ms = newest_ms;
    return true;
}

void job_schedule_mark_fired(struct job_schedule *job, int64_t firing_ms, int64_t now_ms)
{
    if (has_credible_last_firing(job, now_ms) && job->last_firing_ms.value >= firing_ms)
        return;
    job->last_firing_ms = (struct optional_int64){.present = true, .value = firing_ms};
}
