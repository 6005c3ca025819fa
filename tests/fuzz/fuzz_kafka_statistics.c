/* librdkafka's statistics. */
#include "io/kafka_statistics.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kafka_statistics *statistics = kafka_statistics_parse((const char *)data, size);

    if (!statistics)
        return 0;
    (void)kafka_statistics_is_connected(statistics);
    FUZZ_CHECK(kafka_statistics_round_trip_us(statistics) >= -1);
    FUZZ_CHECK(kafka_statistics_start_offset(statistics, "trades", 0) >= -1);
    FUZZ_CHECK(kafka_statistics_start_offset(statistics, "absent", INT32_MIN) >= -1);
    kafka_statistics_destroy(statistics);
    return 0;
}
