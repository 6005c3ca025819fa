/* The wire format around an Avro value. */
#include "codec/wire_format.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES];
    int32_t id;
    const uint8_t *avro;
    size_t avro_length;
    struct err err = {0};

    fuzz_paint(&id, sizeof id);
    fuzz_paint(&avro, sizeof avro);
    fuzz_paint(&avro_length, sizeof avro_length);
    bool succeeded = wire_format_read(data, size, &id, &avro, &avro_length, &err) == 0;
    fuzz_check_outcome(succeeded, &err);
    if (!succeeded) {
        FUZZ_CHECK(size < WIRE_FORMAT_PREFIX_BYTES || data[0] != 0);
        FUZZ_CHECK(fuzz_is_painted(&id, sizeof id));
        FUZZ_CHECK(fuzz_is_painted(&avro, sizeof avro));
        FUZZ_CHECK(fuzz_is_painted(&avro_length, sizeof avro_length));
        return 0;
    }
    FUZZ_CHECK(avro == data + WIRE_FORMAT_PREFIX_BYTES && avro_length == size - sizeof prefix);
    wire_format_write(prefix, id);
    FUZZ_CHECK(memcmp(prefix, data, sizeof prefix) == 0);
    return 0;
}
