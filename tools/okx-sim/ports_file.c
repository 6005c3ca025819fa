#include "ports_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

int ports_file_write(const char *path, int port, int admin_port, struct err *err)
{
    char *draft = mem_sprintf("%s.new", path);
    FILE *file = fopen(draft, "w");
    int result = -1;

    if (!file) {
        err_set_errno(err, "write %s", draft);
        goto out;
    }
    fprintf(file, "okx=%d\nadmin=%d\n", port, admin_port);
    if (fclose(file) != 0 || rename(draft, path) != 0)
        err_set_errno(err, "write %s", path);
    else
        result = 0;
out:
    free(draft);
    return result;
}
