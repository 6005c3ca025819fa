/* CURRENCIES, BASE_CURRENCY and INSTRUMENTS, a line each; the third may be missing. */
#include "domain/instrument_selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text_view.h"
#include "fuzz.h"

static void check_id(const struct instrument_selection *selection, size_t index)
{
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *id = selection->ids[index];

    FUZZ_CHECK(memchr(id, '\0', INST_ID_BYTES));
    FUZZ_CHECK(*id && strspn(id, legal) == strlen(id));
    for (size_t i = 0; i < index; i++)
        FUZZ_CHECK(strcmp(selection->ids[i], id) != 0);
}

/* The list of ids, given as INSTRUMENTS, selects the same. */
static void check_list(const struct instrument_selection *selection)
{
    struct instrument_settings settings = {.currencies = "BTC", .base_currency = "USDT"};
    struct instrument_selection again;
    struct config_problems problems = {0};
    struct buf list;

    buf_init(&list, selection->id_count * INST_ID_BYTES + 1);
    for (size_t i = 0; i < selection->id_count; i++)
        buf_append_format(&list, "%s,", selection->ids[i]);
    settings.instruments = list.data;
    instrument_selection_read(&settings, &again, &problems);
    FUZZ_CHECK(problems.count == 0 && !again.is_all && again.id_count == selection->id_count);
    for (size_t i = 0; i < again.id_count; i++)
        FUZZ_CHECK(strcmp(again.ids[i], selection->ids[i]) == 0);
    instrument_selection_clear(&again);
    buf_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct instrument_settings settings;
    struct instrument_selection selection;
    struct config_problems problems = {0};

    settings.currencies = fuzz_text(fuzz_take_until(&input, '\n'));
    settings.base_currency = fuzz_text(fuzz_take_until(&input, '\n'));
    settings.instruments = input.left > 0 ? fuzz_text(fuzz_take_until(&input, '\n')) : NULL;
    instrument_selection_read(&settings, &selection, &problems);
    for (size_t i = 0; i < selection.id_count; i++)
        check_id(&selection, i);
    FUZZ_CHECK(!selection.is_all || selection.id_count == 0);
    FUZZ_CHECK(selection.is_all || selection.id_count > 0 || problems.count > 0);
    FUZZ_CHECK(selection.base_currency[0] || problems.count > 0);
    if (selection.id_count > 0)
        check_list(&selection);
    instrument_selection_clear(&selection);
    config_problems_clear(&problems);
    free(settings.currencies);
    free(settings.base_currency);
    free(settings.instruments);
    return 0;
}
