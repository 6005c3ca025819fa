#include "tests/support/unit_test.h"

#include <stdlib.h>
#include <string.h>

#include "domain/instrument_selection.h"

static struct instrument_selection read_selection(const char *currencies, const char *base,
                                                  const char *instruments,
                                                  struct config_problems *problems)
{
    struct instrument_settings settings = {
        .currencies = (char *)currencies,
        .base_currency = (char *)base,
        .instruments = (char *)instruments,
    };
    struct instrument_selection selection;
    memset(&selection, 0xAA, sizeof selection);
    instrument_selection_read(&settings, &selection, problems);
    return selection;
}

static void assert_ids(const struct instrument_selection *selection, const char *const *expected)
{
    size_t count = 0;
    while (expected[count]) {
        assert_true(count < selection->id_count);
        assert_string_equal(selection->ids[count], expected[count]);
        count++;
    }
    assert_int_equal(selection->id_count, count);
}

static void lists_become_instrument_ids(void **state)
{
    static const struct {
        const char *currencies, *base, *instruments;
        const char *ids[6];
    } cases[] = {
        {"BTC,ETH,TON,SOL,XRP",
         "USDT",
         NULL,
         {"BTC-USDT", "ETH-USDT", "TON-USDT", "SOL-USDT", "XRP-USDT"}},
        {"[BTC,ETH]", "USDT", NULL, {"BTC-USDT", "ETH-USDT"}},
        {" [ BTC , ETH ] ", " USDT ", NULL, {"BTC-USDT", "ETH-USDT"}},
        {"btc,Eth", "usdt", NULL, {"BTC-USDT", "ETH-USDT"}},
        {"BTC,ETH,BTC,btc", "USDT", NULL, {"BTC-USDT", "ETH-USDT"}},
        {"BTC,,ETH,", "USDT", NULL, {"BTC-USDT", "ETH-USDT"}},
        {"1INCH,2Z", "USD", NULL, {"1INCH-USD", "2Z-USD"}},
        {"BTC", "USDT", "ETH-BTC, BTC-USDT ,ETH-BTC", {"ETH-BTC", "BTC-USDT"}},
        {"*", "USDT", "[SOL-USDT]", {"SOL-USDT"}},
        {"BTC",
         "USDT",
         "BTC-USDT-SWAP,PEPE-USD_UM_XPERP-310404,btc-eur",
         {"BTC-USDT-SWAP", "PEPE-USD_UM_XPERP-310404", "btc-eur"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config_problems problems = {0};
        struct instrument_selection selection =
            read_selection(cases[i].currencies, cases[i].base, cases[i].instruments, &problems);
        if (problems.count)
            fail_msg("%s", problems.lines[0]);
        assert_false(selection.is_all);
        assert_ids(&selection, cases[i].ids);
        instrument_selection_clear(&selection);
        assert_null(selection.ids);
    }
}

static void a_lone_star_stands_for_all_of_the_base_currency(void **state)
{
    static const char *const stars[] = {"*", " * ", "[*]", "[ * ]"};
    (void)state;
    for (size_t i = 0; i < sizeof stars / sizeof stars[0]; i++) {
        struct config_problems problems = {0};
        struct instrument_selection selection = read_selection(stars[i], "eur", NULL, &problems);
        assert_int_equal(problems.count, 0);
        assert_true(selection.is_all);
        assert_string_equal(selection.base_currency, "EUR");
        assert_int_equal(selection.id_count, 0);
        instrument_selection_clear(&selection);
    }
}

static const struct mistake_case {
    const char *currencies, *base, *instruments;
    const char *problem;
} mistake_cases[] = {
    {"", "USDT", NULL, "CURRENCIES is '', expected a list such as BTC,ETH or *"},
    {NULL, "USDT", NULL, "CURRENCIES is '', expected a list such as BTC,ETH or *"},
    {"[]", "USDT", NULL, "CURRENCIES is '[]', expected a list such as BTC,ETH or *"},
    {" , ", "USDT", NULL, "CURRENCIES is ' , ', expected a list such as BTC,ETH or *"},
    {"BTC,*", "USDT", NULL, "CURRENCIES: '*' stands for all and must stand alone"},
    {"BTC,USDT", "USDT", NULL, "CURRENCIES: 'USDT' is the BASE_CURRENCY itself"},
    {"usdt,BTC", "USDT", NULL, "CURRENCIES: 'USDT' is the BASE_CURRENCY itself"},
    {"BTC-USDT", "USDT", NULL, "CURRENCIES: 'BTC-USDT' is not a currency such as BTC"},
    {"BTC ETH", "USDT", NULL, "CURRENCIES: 'BTC ETH' is not a currency such as BTC"},
    {"BTC;ETH", "USDT", NULL, "CURRENCIES: 'BTC;ETH' is not a currency such as BTC"},
    {"[BTC", "USDT", NULL, "CURRENCIES: '[BTC' is not a currency such as BTC"},
    {"B\xC3\x96TC", "USDT", NULL, "CURRENCIES: 'B\xC3\x96TC' is not a currency such as BTC"},
    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "USDT", NULL,
     "CURRENCIES: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' is not a currency such as BTC"},
    {"BTC", "US-DT", NULL, "BASE_CURRENCY is 'US-DT', expected a currency such as USDT"},
    {"BTC", NULL, NULL, "BASE_CURRENCY is '', expected a currency such as USDT"},
    {"BTC", "USDT", " ", "INSTRUMENTS is ' ', expected a list such as BTC-USDT,ETH-BTC"},
    {"BTC", "USDT", "BTC/USDT", "INSTRUMENTS: 'BTC/USDT' is not an instrument id such as BTC-USDT"},
    {"BTC", "USDT", "*", "INSTRUMENTS: '*' is not an instrument id such as BTC-USDT"},
    {"BTC", "USDT", "ETH-USDT,BTC USDT",
     "INSTRUMENTS: 'BTC USDT' is not an instrument id such as BTC-USDT"},
};

static void a_mistake_is_named_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistake_cases / sizeof mistake_cases[0]; i++) {
        const struct mistake_case *mistake = &mistake_cases[i];
        struct config_problems problems = {0};
        struct instrument_selection selection =
            read_selection(mistake->currencies, mistake->base, mistake->instruments, &problems);
        assert_true(problems.count > 0);
        assert_string_equal(problems.lines[0], mistake->problem);
        assert_int_equal(problems.count, 1);
        config_problems_clear(&problems);
        instrument_selection_clear(&selection);
    }
}

static void ids_that_do_not_fit_are_refused_not_cut(void **state)
{
    char id[INST_ID_BYTES + 1];
    (void)state;
    memset(id, 'A', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    for (size_t cut = 0; cut < 2; cut++) {
        struct config_problems problems = {0};
        struct instrument_selection selection = read_selection("BTC", "USDT", id + cut, &problems);
        assert_int_equal(problems.count, 1 - cut);
        assert_int_equal(selection.id_count, cut);
        config_problems_clear(&problems);
        instrument_selection_clear(&selection);
    }
}

static void every_mistake_of_a_list_is_reported(void **state)
{
    struct config_problems problems = {0};
    struct instrument_selection selection =
        read_selection("B-C,BTC,*,USDT", "USDT", NULL, &problems);
    (void)state;
    assert_int_equal(problems.count, 3);
    assert_int_equal(selection.id_count, 1);
    config_problems_clear(&problems);
    instrument_selection_clear(&selection);
}

struct config {
    int unrelated;
    struct instrument_settings instruments;
};

static void the_settings_rows_fill_the_struct(void **state)
{
    static const struct setting settings[] = {INSTRUMENT_SETTINGS(struct config, instruments)};
    const size_t count = sizeof settings / sizeof settings[0];
    struct config config = {0};
    struct config_problems problems = {0};
    (void)state;
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++)
        unsetenv(settings[i].name);
    env_config_load(settings, count, &config, &problems);
    assert_int_equal(problems.count, 0);
    assert_string_equal(config.instruments.currencies, "BTC,ETH,TON,SOL,XRP");
    assert_string_equal(config.instruments.base_currency, "USDT");
    assert_null(config.instruments.instruments);
    env_config_clear(settings, count, &config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_become_instrument_ids),
        cmocka_unit_test(a_lone_star_stands_for_all_of_the_base_currency),
        cmocka_unit_test(a_mistake_is_named_once),
        cmocka_unit_test(ids_that_do_not_fit_are_refused_not_cut),
        cmocka_unit_test(every_mistake_of_a_list_is_reported),
        cmocka_unit_test(the_settings_rows_fill_the_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
