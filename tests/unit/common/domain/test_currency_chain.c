#include "tests/support/unit_test.h"

#include "base/mem.h"
#include "domain/currency_chain.h"

static void clear_releases_what_the_chain_owns_and_may_be_repeated(void **state)
{
    struct currency_chain chain = {
        .name = mem_strdup("Bitcoin"),
        .logo_link = mem_strdup("https://static.okx.com/btc.png"),
        .contract_address = mem_strdup("0x0"),
    };
    (void)state;
    assert_int_equal(extra_fields_add(&chain.extra, "new", 3, "field", 5), 0);
    currency_chain_clear(&chain);
    assert_null(chain.name);
    assert_null(chain.logo_link);
    assert_null(chain.contract_address);
    assert_int_equal(chain.extra.count, 0);
    currency_chain_clear(&chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_releases_what_the_chain_owns_and_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
