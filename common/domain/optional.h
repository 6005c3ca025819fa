/* Values that may be absent: OKX sends "" or null, or leaves the member out. Pure. */
#ifndef DOMAIN_OPTIONAL_H
#define DOMAIN_OPTIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/decimal.h"

struct optional_int64 {
    bool present;
    int64_t value;
};

struct optional_decimal {
    bool present;
    struct decimal value;
};

struct optional_bool {
    bool present;
    bool value;
};

#endif
