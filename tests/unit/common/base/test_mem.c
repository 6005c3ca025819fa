#include "tests/support/unit_test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* The sanitizers' allocators abort by themselves unless told that NULL is an answer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void nothing_asked_still_gives_a_block(void **state)
{
    (void)state;
    void *blocks[] = {mem_alloc(0), mem_calloc(0, 8), mem_calloc(8, 0),
                      mem_realloc_array(NULL, 0, 8)};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        assert_non_null(blocks[i]);
        free(blocks[i]);
    }
}

static void calloc_gives_zeros(void **state)
{
    (void)state;
    unsigned char *bytes = mem_calloc(100, 10);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
}

static void realloc_keeps_what_was_there(void **state)
{
    (void)state;
    int *numbers = mem_realloc_array(NULL, 2, sizeof *numbers);
    numbers[0] = 7;
    numbers[1] = 8;
    numbers = mem_realloc_array(numbers, 2000, sizeof *numbers);
    assert_int_equal(numbers[0], 7);
    assert_int_equal(numbers[1], 8);
    free(numbers);
}

static void strings_are_copied(void **state)
{
    char source[] = "BTC-USDT";
    (void)state;
    char *whole = mem_strdup(source);
    char *part = mem_strndup(source, 3);
    char *beyond = mem_strndup(source, 100);
    char *nothing = mem_strndup(NULL, 0);
    char *printed = mem_sprintf("%s/%d", source, 42);
    source[0] = 'X';
    assert_string_equal(whole, "BTC-USDT");
    assert_string_equal(part, "BTC");
    assert_string_equal(beyond, "BTC-USDT");
    assert_string_equal(nothing, "");
    assert_string_equal(printed, "BTC-USDT/42");
    assert_null(mem_strdup(NULL));
    free(whole);
    free(part);
    free(beyond);
    free(nothing);
    free(printed);
}

static void exhaust_memory_in_child(int write_end)
{
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    dup2(write_end, STDERR_FILENO);
    free(mem_realloc_array(NULL, SIZE_MAX / 2, 16));
    _exit(0);
}

static void running_out_of_memory_says_so_and_aborts(void **state)
{
    int ends[2];
    char text[16384] = "";
    size_t length = 0;
    ssize_t count = 0;
    int status = 0;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        exhaust_memory_in_child(ends[1]);
    close(ends[1]);
    do {
        count = read(ends[0], text + length, sizeof text - 1 - length);
        length += count > 0 ? (size_t)count : 0;
    } while (count > 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "out of memory\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_still_gives_a_block),
        cmocka_unit_test(calloc_gives_zeros),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(running_out_of_memory_says_so_and_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
