#include "domain/instrument_selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text_view.h"

/* Not isalnum(): that depends on the locale. */
static bool is_alphanumeric(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9');
}

static bool consists_of(struct text_view text, const char *punctuation)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_alphanumeric(text.data[i]) && (!text.data[i] || !strchr(punctuation, text.data[i])))
            return false;
    return text.length > 0;
}

/* "[BTC, ETH]" as "BTC, ETH": the form that earlier versions took. */
static struct text_view without_brackets(const char *list)
{
    struct text_view text = text_view_trim(text_view_of(list));
    if (text.length >= 2 && text.data[0] == '[' && text.data[text.length - 1] == ']') {
        text.data++;
        text.length -= 2;
    }
    return text_view_trim(text);
}

/* The next piece that is not blank. */
static bool next_item(struct text_view *rest, struct text_view *item)
{
    while (text_view_split(rest, ',', item)) {
        *item = text_view_trim(*item);
        if (item->length > 0)
            return true;
    }
    return false;
}

static void upper_case(char *text)
{
    for (; *text; text++)
        if (*text >= 'a' && *text <= 'z')
            *text = (char)(*text - 'a' + 'A');
}

static void add_id(struct instrument_selection *selection, const char *id)
{
    for (size_t i = 0; i < selection->id_count; i++)
        if (strcmp(selection->ids[i], id) == 0)
            return;
    selection->ids =
        mem_realloc_array(selection->ids, selection->id_count + 1, sizeof *selection->ids);
    snprintf(selection->ids[selection->id_count++], INST_ID_BYTES, "%s", id);
}

static void read_instruments(const char *list, struct instrument_selection *selection,
                             struct config_problems *problems)
{
    struct text_view rest = without_brackets(list);
    struct text_view item;
    size_t before = problems->count;

    while (next_item(&rest, &item)) {
        char id[INST_ID_BYTES];
        if (!consists_of(item, "-_.") || item.length >= sizeof id) {
            config_problems_add(problems,
                                "INSTRUMENTS: '%.*s' is not an instrument id such as BTC-USDT",
                                TEXT_VIEW_ARGS(item));
            continue;
        }
        snprintf(id, sizeof id, "%.*s", TEXT_VIEW_ARGS(item));
        add_id(selection, id);
    }
    if (selection->id_count == 0 && problems->count == before)
        config_problems_add(problems,
                            "INSTRUMENTS is '%s', expected a list such as BTC-USDT,ETH-BTC", list);
}

static void read_base_currency(const char *text, struct instrument_selection *selection,
                               struct config_problems *problems)
{
    struct text_view base = text_view_trim(text_view_of(text));
    if (!consists_of(base, "_") || base.length >= sizeof selection->base_currency / 2) {
        config_problems_add(problems, "BASE_CURRENCY is '%s', expected a currency such as USDT",
                            text ? text : "");
        return;
    }
    snprintf(selection->base_currency, sizeof selection->base_currency, "%.*s",
             TEXT_VIEW_ARGS(base));
    upper_case(selection->base_currency);
}

static void add_pair(struct text_view item, struct instrument_selection *selection,
                     struct config_problems *problems)
{
    char currency[INST_ID_BYTES / 2];
    char id[INST_ID_BYTES];

    if (text_view_equals(item, "*")) {
        config_problems_add(problems, "CURRENCIES: '*' stands for all and must stand alone");
        return;
    }
    if (!consists_of(item, "_") || item.length >= sizeof currency) {
        config_problems_add(problems, "CURRENCIES: '%.*s' is not a currency such as BTC",
                            TEXT_VIEW_ARGS(item));
        return;
    }
    snprintf(currency, sizeof currency, "%.*s", TEXT_VIEW_ARGS(item));
    upper_case(currency);
    if (strcmp(currency, selection->base_currency) == 0) {
        config_problems_add(problems, "CURRENCIES: '%s' is the BASE_CURRENCY itself", currency);
        return;
    }
    snprintf(id, sizeof id, "%s-%.31s", currency, selection->base_currency);
    add_id(selection, id);
}

static void read_currencies(const char *list, struct instrument_selection *selection,
                            struct config_problems *problems)
{
    struct text_view rest = without_brackets(list);
    struct text_view item;
    size_t before = problems->count;

    if (text_view_equals(rest, "*")) {
        selection->is_all = true;
        return;
    }
    while (next_item(&rest, &item))
        add_pair(item, selection, problems);
    if (selection->id_count == 0 && problems->count == before)
        config_problems_add(problems, "CURRENCIES is '%s', expected a list such as BTC,ETH or *",
                            list ? list : "");
}

void instrument_selection_read(const struct instrument_settings *settings,
                               struct instrument_selection *selection,
                               struct config_problems *problems)
{
    *selection = (struct instrument_selection){0};
    read_base_currency(settings->base_currency, selection, problems);
    if (settings->instruments)
        read_instruments(settings->instruments, selection, problems);
    else
        read_currencies(settings->currencies, selection, problems);
}

void instrument_selection_clear(struct instrument_selection *selection)
{
    free(selection->ids);
    *selection = (struct instrument_selection){0};
}
