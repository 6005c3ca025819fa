#include "tests/support/unit_test.h"

#include "base/rfc3339.h"
#include "scheduler/job_schedule.h"

static int64_t time_of(const char *text)
{
    struct err err = {0};
    int64_t unix_ms = 0;

    assert_int_equal(rfc3339_parse_ms(text_view_of(text), &unix_ms, &err), 0);
    return unix_ms;
}

static struct job_schedule job_of(const char *text)
{
    struct job_schedule job = {0};
    struct err err = {0};

    assert_int_equal(job_schedule_parse(text, &job, &err), 0);
    return job;
}

static void a_job_that_never_ran_is_due_for_its_newest_firing(void **state)
{
    const struct job_schedule job = job_of("0 8,21 * * *");
    int64_t firing_ms = 0;

    (void)state;
    assert_true(job_schedule_is_due(&job, time_of("2026-11-23T12:34:56Z"), &firing_ms));
    assert_true(firing_ms == time_of("2026-11-23T08:00:00Z"));
}

static void a_job_is_due_from_the_very_moment_of_its_firing(void **state)
{
    struct job_schedule job = job_of("0 * * * *");
    int64_t firing_ms = 0;

    (void)state;
    job_schedule_mark_fired(&job, time_of("2026-11-23T12:00:00Z"), time_of("2026-11-23T12:00:00Z"));
    assert_false(job_schedule_is_due(&job, time_of("2026-11-23T12:59:59.999Z"), &firing_ms));
    assert_true(job_schedule_is_due(&job, time_of("2026-11-23T13:00:00Z"), &firing_ms));
    assert_true(firing_ms == time_of("2026-11-23T13:00:00Z"));
}

static void many_missed_firings_are_made_up_for_once(void **state)
{
    struct job_schedule job = job_of("*/5 * * * *");
    const int64_t now_ms = time_of("2026-11-23T12:07:00Z");
    int64_t firing_ms = 0;

    (void)state;
    job_schedule_mark_fired(&job, time_of("2026-11-20T00:00:00Z"), now_ms);
    assert_true(job_schedule_is_due(&job, now_ms, &firing_ms));
    assert_true(firing_ms == time_of("2026-11-23T12:05:00Z"));
    job_schedule_mark_fired(&job, firing_ms, now_ms);
    assert_false(job_schedule_is_due(&job, now_ms, &firing_ms));
}

static void a_clock_that_steps_back_repeats_no_firing(void **state)
{
    struct job_schedule job = job_of("0 * * * *");
    int64_t firing_ms = 0;

    (void)state;
    job_schedule_mark_fired(&job, time_of("2026-11-23T12:00:00Z"), time_of("2026-11-23T12:00:00Z"));
    assert_false(job_schedule_is_due(&job, time_of("2026-11-23T11:59:58Z"), &firing_ms));
    assert_false(job_schedule_is_due(&job, time_of("2026-11-23T01:00:00Z"), &firing_ms));
    assert_false(job_schedule_is_due(&job, time_of("2026-11-23T12:00:00Z"), &firing_ms));
    /* An older firing that is heard of later changes nothing. */
    job_schedule_mark_fired(&job, time_of("2026-11-23T10:00:00Z"), time_of("2026-11-23T12:00:01Z"));
    assert_false(job_schedule_is_due(&job, time_of("2026-11-23T12:00:01Z"), &firing_ms));
}

static void a_firing_of_a_wrong_clock_does_not_silence_the_job(void **state)
{
    struct job_schedule job = job_of("0 * * * *");
    const int64_t now_ms = time_of("2026-11-23T12:30:00Z");
    int64_t firing_ms = 0;

    (void)state;
    job_schedule_mark_fired(&job, time_of("2031-01-01T00:00:00Z"), time_of("2031-01-01T00:00:00Z"));
    assert_true(job_schedule_is_due(&job, now_ms, &firing_ms));
    assert_true(firing_ms == time_of("2026-11-23T12:00:00Z"));
    job_schedule_mark_fired(&job, firing_ms, now_ms);
    assert_false(job_schedule_is_due(&job, now_ms, &firing_ms));
}

static void off_means_never(void **state)
{
    const struct job_schedule job = job_of(" off ");
    int64_t firing_ms = 0;

    (void)state;
    assert_false(job_schedule_is_due(&job, time_of("2026-11-23T12:00:00Z"), &firing_ms));
}

static void anything_else_must_be_cron(void **state)
{
    struct job_schedule job = {0};
    struct err err = {0};

    (void)state;
    assert_int_equal(job_schedule_parse("never", &job, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_false(job.is_enabled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_that_never_ran_is_due_for_its_newest_firing),
        cmocka_unit_test(a_job_is_due_from_the_very_moment_of_its_firing),
        cmocka_unit_test(many_missed_firings_are_made_up_for_once),
        cmocka_unit_test(a_clock_that_steps_back_repeats_no_firing),
        cmocka_unit_test(a_firing_of_a_wrong_clock_does_not_silence_the_job),
        cmocka_unit_test(off_means_never),
        cmocka_unit_test(anything_else_must_be_cron),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
