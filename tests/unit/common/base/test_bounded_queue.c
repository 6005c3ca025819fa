#include "tests/support/unit_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/bounded_queue.h"
#include "base/clock.h"

enum { DEADLINE_MS = 20000 };

static void items_leave_in_the_order_they_came(void **state)
{
    int items[7];
    struct bounded_queue *queue = bounded_queue_create(3);
    (void)state;
    for (int round = 0; round < 5; round++) { /* around the ring */
        assert_true(bounded_queue_try_push(queue, &items[0]));
        assert_true(bounded_queue_try_push(queue, &items[1]));
        assert_int_equal(bounded_queue_length(queue), 2);
        assert_ptr_equal(bounded_queue_pop(queue, 0), &items[0]);
        assert_ptr_equal(bounded_queue_pop(queue, 0), &items[1]);
    }
    assert_int_equal(bounded_queue_length(queue), 0);
    bounded_queue_destroy(queue);
}

static void a_full_queue_refuses_and_an_empty_one_gives_nothing(void **state)
{
    int items[3];
    struct bounded_queue *queue = bounded_queue_create(2);
    (void)state;
    assert_null(bounded_queue_pop(queue, 0));
    assert_true(bounded_queue_try_push(queue, &items[0]));
    assert_true(bounded_queue_try_push(queue, &items[1]));
    assert_false(bounded_queue_try_push(queue, &items[2]));
    assert_ptr_equal(bounded_queue_pop(queue, 0), &items[0]);
    assert_true(bounded_queue_try_push(queue, &items[2]));
    assert_ptr_equal(bounded_queue_pop(queue, -1), &items[1]);
    assert_ptr_equal(bounded_queue_pop(queue, -1), &items[2]);
    bounded_queue_destroy(queue);
}

static void waits_end_after_their_time(void **state)
{
    int item;
    struct bounded_queue *queue = bounded_queue_create(1);
    (void)state;
    int64_t before_ms = clock_monotonic_ms();
    assert_null(bounded_queue_pop(queue, 30));
    assert_true(clock_monotonic_ms() - before_ms >= 29);
    assert_true(bounded_queue_push(queue, &item, 30));
    before_ms = clock_monotonic_ms();
    assert_false(bounded_queue_push(queue, &item, 1030));
    assert_true(clock_monotonic_ms() - before_ms >= 1029);
    assert_ptr_equal(bounded_queue_pop(queue, 0), &item);
    bounded_queue_destroy(queue);
}

static void a_closed_queue_refuses_pushes_and_gives_what_is_left(void **state)
{
    int item;
    struct bounded_queue *queue = bounded_queue_create(2);
    (void)state;
    assert_true(bounded_queue_try_push(queue, &item));
    bounded_queue_close(queue);
    assert_false(bounded_queue_try_push(queue, &item));
    assert_false(bounded_queue_push(queue, &item, -1));
    assert_ptr_equal(bounded_queue_pop(queue, -1), &item);
    assert_null(bounded_queue_pop(queue, -1));
    bounded_queue_destroy(queue);
    bounded_queue_destroy(NULL);
}

static void *pop_forever(void *queue)
{
    return bounded_queue_pop(queue, -1);
}

static void *push_forever(void *queue)
{
    return bounded_queue_push(queue, queue, -1) ? queue : NULL;
}

static void closing_wakes_whoever_waits(void **state)
{
    pthread_t poppers[3], pushers[3];
    struct bounded_queue *empty = bounded_queue_create(1);
    struct bounded_queue *full = bounded_queue_create(1);
    void *result = &result;
    (void)state;
    assert_true(bounded_queue_try_push(full, full));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&poppers[i], NULL, pop_forever, empty), 0);
        assert_int_equal(pthread_create(&pushers[i], NULL, push_forever, full), 0);
    }
    bounded_queue_close(empty);
    bounded_queue_close(full);
    for (int i = 0; i < 3; i++) {
        pthread_join(poppers[i], &result);
        assert_null(result);
        pthread_join(pushers[i], &result);
        assert_null(result);
    }
    assert_int_equal(bounded_queue_length(full), 1);
    bounded_queue_destroy(empty);
    bounded_queue_destroy(full);
}

static void a_waiting_pop_gets_what_is_pushed_later(void **state)
{
    pthread_t popper;
    int item;
    void *result = NULL;
    struct bounded_queue *queue = bounded_queue_create(1);
    (void)state;
    assert_int_equal(pthread_create(&popper, NULL, pop_forever, queue), 0);
    assert_true(bounded_queue_push(queue, &item, DEADLINE_MS));
    pthread_join(popper, &result);
    assert_ptr_equal(result, &item);
    bounded_queue_destroy(queue);
}

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS_EACH = 5000 };

struct work {
    int producer, number;
    int popped; /* written by the one consumer that got it */
};

struct crowd {
    struct bounded_queue *queue;
    struct work *works;
    atomic_int next_producer;
    atomic_int order_mistakes;
};

static void *produce(void *context)
{
    struct crowd *crowd = context;
    int producer = atomic_fetch_add(&crowd->next_producer, 1);
    for (int i = 0; i < ITEMS_EACH; i++) {
        struct work *work = &crowd->works[producer * ITEMS_EACH + i];
        work->producer = producer;
        work->number = i;
        if (!bounded_queue_push(crowd->queue, work, DEADLINE_MS))
            return NULL;
    }
    return crowd;
}

static void *consume(void *context)
{
    struct crowd *crowd = context;
    int last[PRODUCERS] = {-1, -1, -1};
    struct work *work = bounded_queue_pop(crowd->queue, DEADLINE_MS);
    while (work) {
        work->popped++;
        if (work->number <= last[work->producer])
            atomic_fetch_add(&crowd->order_mistakes, 1);
        last[work->producer] = work->number;
        work = bounded_queue_pop(crowd->queue, DEADLINE_MS);
    }
    return NULL;
}

static void a_crowd_of_threads_passes_each_item_once_and_in_order(void **state)
{
    struct crowd crowd = {.queue = bounded_queue_create(7),
                          .works = calloc(PRODUCERS * ITEMS_EACH, sizeof(struct work))};
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    void *result = NULL;
    (void)state;
    assert_non_null(crowd.works);
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, &crowd), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &crowd), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i], &result);
        assert_non_null(result);
    }
    bounded_queue_close(crowd.queue);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consumers[i], NULL);
    for (int i = 0; i < PRODUCERS * ITEMS_EACH; i++)
        assert_int_equal(crowd.works[i].popped, 1);
    assert_int_equal(crowd.order_mistakes, 0);
    bounded_queue_destroy(crowd.queue);
    free(crowd.works);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_leave_in_the_order_they_came),
        cmocka_unit_test(a_full_queue_refuses_and_an_empty_one_gives_nothing),
        cmocka_unit_test(waits_end_after_their_time),
        cmocka_unit_test(a_closed_queue_refuses_pushes_and_gives_what_is_left),
        cmocka_unit_test(closing_wakes_whoever_waits),
        cmocka_unit_test(a_waiting_pop_gets_what_is_pushed_later),
        cmocka_unit_test(a_crowd_of_threads_passes_each_item_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
