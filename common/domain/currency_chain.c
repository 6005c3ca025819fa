#include "domain/currency_chain.h"

#include <stdlib.h>

void currency_chain_clear(struct currency_chain *chain)
{
    free(chain->name);
    free(chain->logo_link);
    free(chain->contract_address);
    chain->name = NULL;
    chain->logo_link = NULL;
    chain->contract_address = NULL;
    extra_fields_clear(&chain->extra);
}
