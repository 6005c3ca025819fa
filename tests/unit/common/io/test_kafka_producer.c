/* What the producer module knows without a broker; the rest is in tests/integration. */
#include "io/kafka_producer.h"

#include <string.h>

#include "tests/support/unit_test.h"

/* Hashes of the Java client's own test (clients/…/common/utils/UtilsTest.java, testMurmur2); the
 * partition is (hash & 0x7fffffff) % count. */
static const struct {
    const char *key;
    uint32_t hash;
} murmur2_cases[] = {
    {"21", (uint32_t)-973932308},
    {"foobar", (uint32_t)-790332482},
    {"a-little-bit-long-string", (uint32_t)-985981536},
    {"a-little-bit-longer-string", (uint32_t)-1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", (uint32_t)-58897971},
    {"abc", 479470107u},
};

static void partitions_are_those_of_the_java_client(void **state)
{
    static const int32_t counts[] = {1, 2, 6, 12, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof murmur2_cases / sizeof murmur2_cases[0]; i++) {
        const char *key = murmur2_cases[i].key;

        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++) {
            int32_t expected =
                (int32_t)((murmur2_cases[i].hash & 0x7fffffff) % (uint32_t)counts[j]);

            if (kafka_partition_for_key(key, strlen(key), counts[j]) != expected)
                fail_msg("key %s of %d partitions", key, counts[j]);
        }
    }
}

static void the_key_is_read_to_its_length_only(void **state)
{
    (void)state;
    assert_int_equal(kafka_partition_for_key("abcdef", 3, 1000),
                     kafka_partition_for_key("abc", 3, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_those_of_the_java_client),
        cmocka_unit_test(the_key_is_read_to_its_length_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
