#include "schema_check.h"

#include <inttypes.h>

#include "base/text_view.h"

enum { ANSWER_BYTES = 64 };

int schema_check(struct pg_client *client, struct err *err)
{
    static const char sql[] = "SELECT version || CASE WHEN dirty THEN ' dirty' ELSE '' END"
                              " FROM schema_migrations";
    char answer[ANSWER_BYTES];
    struct text_view rest, version;
    struct err ignored;
    int64_t number = -1;

    if (pg_client_ask(client, sql, answer, sizeof answer, err) != 0) {
        if (err->code == ERR_CONFIG)
            err_wrap(err, "database schema is not migrated");
        return -1;
    }
    rest = text_view_of(answer);
    if (!text_view_split(&rest, ' ', &version) ||
        text_view_read_int64(version, &number, &ignored) != 0)
        return err_set_retriable(err, ERR_CONFIG,
                                 "database schema is not migrated: it has no version");
    if (rest.length > 0)
        return err_set_retriable(err, ERR_CONFIG,
                                 "database schema is dirty: migration %" PRId64 " stopped half-way",
                                 number);
    if (number < SCHEMA_VERSION_NEEDED)
        return err_set_retriable(err, ERR_CONFIG,
                                 "database schema is not migrated: it is at version %" PRId64
                                 ", %" PRId64 " is needed",
                                 number, SCHEMA_VERSION_NEEDED);
    return 0;
}
