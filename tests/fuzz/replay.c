/*
 * The main function of a fuzz target without libFuzzer: runs it on files, or on every file of
 * folders. Without arguments these are the committed seeds, tests/fuzz/corpus/<target>. The sum at
 * the end is worded as cmocka's, for tests/support/run_cmocka.sh.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "fuzz.h"

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat status;

    if (!file || fstat(fileno(file), &status) != 0) {
        perror(path);
        return -1;
    }
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = mem_alloc(size); /* no byte more, so that a sanitizer sees reads behind it */
    size_t length = fread(bytes, 1, size, file);
    fclose(file);
    printf("replaying %s\n", path); /* the last line before a crash says where */
    fflush(stdout);
    (void)LLVMFuzzerTestOneInput(bytes, length);
    free(bytes);
    return 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Returns the number of files replayed, or -1. */
static int replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, alphasort);
    int replayed = 0;

    if (count < 0)
        perror(path);
    for (int i = 0; i < count; i++) {
        char *file = mem_sprintf("%s/%s", path, entries[i]->d_name);
        replayed += replay_file(file) == 0;
        free(file);
        free(entries[i]);
    }
    free(entries);
    return count >= 0 && replayed == count ? replayed : -1;
}

static int replay(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return replay_folder(path);
    return replay_file(path) == 0 ? 1 : -1;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    char *seeds = mem_sprintf("tests/fuzz/corpus/%s", name ? name + 1 : argv[0]);
    int sum = 0;
    int failures = 0;

    for (int i = 1; i < argc || i == 1; i++) {
        int replayed = replay(i < argc ? argv[i] : seeds);
        sum += replayed > 0 ? replayed : 0;
        failures += replayed <= 0;
    }
    free(seeds);
    if (failures == 0)
        printf("[  PASSED  ] %d test(s).\n", sum);
    return failures == 0 ? 0 : 1;
}
