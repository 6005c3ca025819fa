/*
 * For LD_PRELOAD: while the file LOST_PRODUCER_FILE exists, the next producer that polls for its
 * delivery reports meets the fatal error that librdkafka raises when the order of an idempotent
 * producer's records is in doubt; the file is removed.
 */
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <unistd.h>

int rd_kafka_poll(rd_kafka_t *rk, int timeout_ms)
{
    int (*poll_really)(rd_kafka_t *, int) = dlsym(RTLD_NEXT, "rd_kafka_poll");
    const char *path = getenv("LOST_PRODUCER_FILE");

    if (path && rd_kafka_type(rk) == RD_KAFKA_PRODUCER && unlink(path) == 0)
        rd_kafka_test_fatal_error(rk, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                  "ordered by a test");
    return poll_really(rk, timeout_ms);
}
