#include "base/option_name.h"

#include <stdio.h>
#include <string.h>

void option_name(const char *argument, int letter, char name[OPTION_NAME_BYTES])
{
    if (strncmp(argument, "--", 2) == 0)
        (void)snprintf(name, OPTION_NAME_BYTES, "%s", argument);
    else
        (void)snprintf(name, OPTION_NAME_BYTES, "-%c", letter);
}
