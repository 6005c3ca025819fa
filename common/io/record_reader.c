#include "io/record_reader.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/avro_codec.h"
#include "codec/wire_format.h"

/* One writer's schema, as read into one kind of record. */
struct known_decoder {
    enum record_kind kind;
    int32_t schema_id;
    struct avro_decoder *decoder;
};

struct record_reader {
    struct schema_registry *registry;
    struct known_decoder *known; /* a handful: searched from the front */
    size_t known_count;
};

struct record_reader *record_reader_create(struct schema_registry *registry)
{
    struct record_reader *reader = mem_calloc(1, sizeof *reader);

    reader->registry = registry;
    return reader;
}

void record_reader_destroy(struct record_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->known_count; i++)
        avro_decoder_destroy(reader->known[i].decoder);
    free(reader->known);
    free(reader);
}

static struct avro_decoder *find_decoder(const struct record_reader *reader, enum record_kind kind,
                                         int32_t schema_id)
{
    for (size_t i = 0; i < reader->known_count; i++)
        if (reader->known[i].schema_id == schema_id && reader->known[i].kind == kind)
            return reader->known[i].decoder;
    return NULL;
}

static struct avro_decoder *make_decoder(struct record_reader *reader, enum record_kind kind,
                                         int32_t schema_id, struct err *err)
{
    struct text_view schema = {0};
    struct avro_decoder *decoder = NULL;

    if (schema_registry_get(reader->registry, schema_id, &schema, err) != 0) {
        /* A registry that refuses us says nothing about the record. */
        err->retriable = err->code != ERR_NOT_FOUND && err->code != ERR_UNSUPPORTED;
        return NULL;
    }
    decoder = avro_decoder_create(kind, schema, err);
    if (!decoder)
        return NULL;
    reader->known =
        mem_realloc_array(reader->known, reader->known_count + 1, sizeof *reader->known);
    reader->known[reader->known_count++] =
        (struct known_decoder){.kind = kind, .schema_id = schema_id, .decoder = decoder};
    return decoder;
}

bool record_reader_knows(const struct record_reader *reader, enum record_kind kind,
                         const void *value, size_t length)
{
    const uint8_t *avro = NULL;
    size_t avro_length = 0;
    int32_t schema_id = 0;
    struct err ignored = {0};

    return value &&
           wire_format_read(value, length, &schema_id, &avro, &avro_length, &ignored) == 0 &&
           find_decoder(reader, kind, schema_id);
}

int record_reader_read(struct record_reader *reader, enum record_kind kind, const void *value,
                       size_t length, void *record, struct err *err)
{
    struct avro_decoder *decoder = NULL;
    const uint8_t *avro = NULL;
    size_t avro_length = 0;
    int32_t schema_id = 0;

    if (!value)
        return err_set(err, ERR_PROTOCOL, "record has no value");
    if (wire_format_read(value, length, &schema_id, &avro, &avro_length, err) != 0)
        return -1;
    decoder = find_decoder(reader, kind, schema_id);
    if (!decoder)
        decoder = make_decoder(reader, kind, schema_id, err);
    if (!decoder)
        return err_wrap(err, "schema %d", schema_id);
    return avro_decode(decoder, avro, avro_length, record, err);
}
