#include "replacement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "codec/schema_text.h"
#include "codec/wire_format.h"
#include "codec/writer_schema.h"
#include "json_value.h"

enum { CHUNK_BYTES = 64 << 10 };

int replacement_read_file(const char *path, struct buf *out, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int status = 0;

    if (!file)
        return err_set(err, ERR_CONFIG, "%.150s: %s", path, strerror(errno));
    for (size_t count = 1; status == 0 && count > 0;) {
        char *room = buf_reserve(out, CHUNK_BYTES);

        if (!room) {
            status = err_set(err, ERR_LIMIT, "%.150s is larger than %d bytes", path,
                             REPLACEMENT_BYTES_MAX);
            break;
        }
        count = fread(room, 1, CHUNK_BYTES, file);
        buf_advance(out, count);
    }
    if (status == 0 && ferror(file))
        status = err_set(err, ERR_CONFIG, "%.150s cannot be read: %s", path, strerror(errno));
    if (file != stdin)
        (void)fclose(file);
    return status;
}

static int encode(struct text_view json, struct text_view schema_text, struct buf *avro,
                  struct err *err)
{
    struct writer_schema *schema = writer_schema_parse(schema_text, err);
    int status = -1;

    if (schema)
        status = json_value_encode(json, writer_schema_root(schema), avro, err);
    if (status != 0)
        err->code = ERR_CONFIG; /* what was given is wrong, not what was received */
    writer_schema_destroy(schema);
    return status;
}

int replacement_encode(struct text_view json, enum topic topic,
                       const struct kafka_settings *settings, struct schema_registry *registry,
                       struct buf *out, struct err *err)
{
    enum record_kind kind = topic_record_kind(topic);
    char *subject = mem_sprintf("%s-value", topic_name(&settings->topics, topic));
    uint8_t prefix[WIRE_FORMAT_PREFIX_BYTES];
    int32_t schema_id = 0;
    struct buf avro;
    int status = -1;

    buf_init(&avro, REPLACEMENT_BYTES_MAX);
    if (encode(json, schema_text(kind), &avro, err) == 0 &&
        schema_registry_register(registry, subject, schema_text(kind), &schema_id, err) == 0) {
        wire_format_write(prefix, schema_id);
        (void)buf_append(out, prefix, sizeof prefix);
        status = buf_append(out, avro.data, avro.length) == 0
                     ? 0
                     : err_set(err, ERR_LIMIT, "the value is too large");
    }
    buf_clear(&avro);
    free(subject);
    return status;
}
