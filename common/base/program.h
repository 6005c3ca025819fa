/*
 * What every program answers to: --help, --version, --check-config, --print-config, --probe, and
 * the exit statuses that they share.
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/env_config.h"
#include "base/metrics.h"

enum program_exit {
    PROGRAM_EXIT_OK = 0,
    PROGRAM_EXIT_FAILURE = 1, /* could not go on while running */
    PROGRAM_EXIT_CONFIG = 2,  /* settings or arguments are wrong; nothing was started */
};

struct program {
    const char *name;
    const char *summary; /* one sentence for --help */
    const char *actions; /* lines for --help on what main answers to besides; NULL: nothing */
    const struct setting *settings;
    size_t setting_count;
    /* Checks that go beyond one row, after all rows are read; may be NULL. */
    void (*validate)(void *config, struct config_problems *problems);
    /* Answers --probe: asks the running program how it is, and returns the exit status. NULL: the
     * program has nothing to ask. */
    int (*probe)(const void *config);
};

/*
 * Reads the arguments, then the settings into config. Returns -1 when the caller should run; else
 * the process's exit status, with everything already printed: --help, --version and --print-config
 * on stdout, mistakes on stderr, one line each ("ingestor: KAFKA_BOOTSTRAP_SERVERS is not set").
 */
int program_start(const struct program *program, int argc, char **argv, void *config);

/* "1.0.0 (abc1234)": the version and the commit it was built from. */
const char *program_version(void);
/* The gauge build_info: 1, with version and commit as labels. */
void program_show_build(struct metrics *metrics);

#endif
