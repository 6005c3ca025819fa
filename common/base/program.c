#include "base/program.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/former_names.h"

#ifndef PROGRAM_VERSION
#define PROGRAM_VERSION "0.0.0"
#endif
#ifndef PROGRAM_COMMIT
#define PROGRAM_COMMIT "unknown"
#endif

enum action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_CHECK,
    ACTION_PRINT,
    ACTION_PROBE,
    ACTION_UNKNOWN,
};

const char *program_version(void)
{
    return PROGRAM_VERSION " (" PROGRAM_COMMIT ")";
}

void program_show_build(struct metrics *metrics)
{
    metric_set(metrics_gauge(metrics, "currency_trends_build_info",
                             "1; what runs is in the labels.",
                             "version=\"" PROGRAM_VERSION "\",commit=\"" PROGRAM_COMMIT "\""),
               1);
}

static enum action action_from_argument(const struct program *program, const char *argument)
{
    static const struct {
        const char *name;
        enum action action;
    } options[] = {
        {"--help", ACTION_HELP},          {"-h", ACTION_HELP},
        {"--version", ACTION_VERSION},    {"--check-config", ACTION_CHECK},
        {"--print-config", ACTION_PRINT}, {"--probe", ACTION_PROBE},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(argument, options[i].name) == 0)
            return options[i].action == ACTION_PROBE && !program->probe ? ACTION_UNKNOWN
                                                                        : options[i].action;
    return ACTION_UNKNOWN;
}

static void print_help(const struct program *program)
{
    printf("%s: %s\n\n"
           "usage: %s [--help | --version | --check-config | --print-config]\n\n"
           "  --help          this text\n"
           "  --version       the version and the commit it was built from\n"
           "  --check-config  read the settings, say what is wrong with them, and end\n"
           "  --print-config  the settings in effect, secrets masked\n"
           "%s%s\n"
           "settings, from environment variables:\n",
           program->name, program->summary, program->name,
           program->probe ? "  --probe         ask the running program whether it is ready\n" : "",
           program->actions ? program->actions : "");
    env_config_print_help(program->settings, program->setting_count, stdout);
    printf("\nexit status:\n"
           "  0  ended in order\n"
           "  1  could not go on while running\n"
           "  2  settings or arguments are wrong; nothing was started\n");
}

static void print_problems(const struct program *program, const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "%s: %s\n", program->name, problems->lines[i]);
}

/* Returns -1 when config is good and the caller should run; what it holds is cleared otherwise. */
static int load(const struct program *program, enum action action, void *config)
{
    struct config_problems problems = {0};
    int status = action == ACTION_RUN ? -1 : PROGRAM_EXIT_OK;

    (void)prctl(PR_SET_DUMPABLE, 0); /* from here on there are secrets; decision 11 */
    former_names_apply(program->name, program->settings, program->setting_count, stderr);
    env_config_load(program->settings, program->setting_count, config, &problems);
    if (program->validate)
        program->validate(config, &problems);
    print_problems(program, &problems);
    if (problems.count > 0)
        status = PROGRAM_EXIT_CONFIG;
    if (action == ACTION_PRINT)
        env_config_print(program->settings, program->setting_count, config, stdout);
    else if (action == ACTION_CHECK && problems.count == 0)
        puts("ok");
    else if (action == ACTION_PROBE && problems.count == 0)
        status = program->probe(config);
    if (status != -1)
        env_config_clear(program->settings, program->setting_count, config);
    config_problems_clear(&problems);
    return status;
}

int program_start(const struct program *program, int argc, char **argv, void *config)
{
    enum action action = ACTION_RUN;
    for (int i = 1; i < argc; i++) {
        action = action_from_argument(program, argv[i]);
        if (action == ACTION_UNKNOWN) {
            fprintf(stderr, "%s: unknown argument '%s', see %s --help\n", program->name, argv[i],
                    program->name);
            return PROGRAM_EXIT_CONFIG;
        }
    }
    if (action == ACTION_HELP) {
        print_help(program);
        return PROGRAM_EXIT_OK;
    }
    if (action == ACTION_VERSION) {
        printf("%s %s\n", program->name, program_version());
        return PROGRAM_EXIT_OK;
    }
    return load(program, action, config);
}
