#include "io/service_start.h"

#include <string.h>

#include "base/shutdown.h"
#include "tests/support/unit_test.h"

struct plan {
    int failures; /* before it succeeds; -1: for ever */
    bool retriable;
    bool stops; /* asks for shutdown at the second attempt */
    int attempts;
};

static int attempt(void *context, struct err *err)
{
    struct plan *plan = context;

    plan->attempts++;
    if (plan->stops && plan->attempts == 2)
        shutdown_request();
    if (plan->failures >= 0 && plan->attempts > plan->failures)
        return 0;
    return plan->retriable ? err_set_retriable(err, ERR_NETWORK, "nobody there")
                           : err_set(err, ERR_CONFIG, "wrong for good");
}

static void attempts_are_repeated_until_one_succeeds(void **state)
{
    struct plan plan = {.failures = 3, .retriable = true};
    struct err err = {0};

    (void)state;
    assert_int_equal(service_start_await("kafka", attempt, &plan, NULL, &err), 0);
    assert_int_equal(plan.attempts, 4);
}

static void a_final_error_ends_the_waiting(void **state)
{
    struct plan plan = {.failures = -1};
    struct err err = {0};

    (void)state;
    assert_int_equal(service_start_await("kafka", attempt, &plan, NULL, &err), -1);
    assert_int_equal(plan.attempts, 1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.message, "wrong for good");
}

static void a_service_begins_anew_only_for_a_lost_producer(void **state)
{
    (void)state;
    assert_false(service_begins_anew(false));
    shutdown_request();
    assert_false(service_begins_anew(false));
    assert_true(shutdown_requested());
    assert_true(service_begins_anew(true));
    assert_false(shutdown_requested());
}

/* Last: the request to stop stays. */
static void shutdown_ends_the_waiting(void **state)
{
    struct plan plan = {.failures = -1, .retriable = true, .stops = true};
    struct err err = {0};

    (void)state;
    assert_int_equal(service_start_await("kafka", attempt, &plan, NULL, &err), -1);
    assert_int_equal(plan.attempts, 2);
    assert_int_equal(err.code, ERR_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_are_repeated_until_one_succeeds),
        cmocka_unit_test(a_final_error_ends_the_waiting),
        cmocka_unit_test(a_service_begins_anew_only_for_a_lost_producer),
        cmocka_unit_test(shutdown_ends_the_waiting),
    };

    shutdown_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
