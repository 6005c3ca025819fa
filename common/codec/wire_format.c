#include "codec/wire_format.h"

enum { WIRE_FORMAT_MAGIC = 0 };

void wire_format_write(uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES], int32_t schema_id)
{
    uint32_t id = (uint32_t)schema_id;

    prefix[0] = WIRE_FORMAT_MAGIC;
    prefix[1] = (uint8_t)(id >> 24);
    prefix[2] = (uint8_t)(id >> 16);
    prefix[3] = (uint8_t)(id >> 8);
    prefix[4] = (uint8_t)id;
}

int wire_format_read(const uint8_t *bytes, size_t length, int32_t *schema_id, const uint8_t **avro,
                     size_t *avro_length, struct err *err)
{
    if (length < WIRE_FORMAT_PREFIX_BYTES)
        return err_set(err, ERR_PROTOCOL,
                       "value of %zu bytes is too short for the %d-byte prefix of the wire format",
                       length, WIRE_FORMAT_PREFIX_BYTES);
    if (bytes[0] != WIRE_FORMAT_MAGIC)
        return err_set(err, ERR_PROTOCOL,
                       "value begins with byte 0x%02x, the wire format begins with 0x00", bytes[0]);
    *schema_id = (int32_t)((uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
                           (uint32_t)bytes[3] << 8 | (uint32_t)bytes[4]);
    *avro = bytes + WIRE_FORMAT_PREFIX_BYTES;
    *avro_length = length - WIRE_FORMAT_PREFIX_BYTES;
    return 0;
}
