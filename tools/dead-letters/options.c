#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/option_name.h"
#include "base/rfc3339.h"

const char dead_letters_options_help[] =
    "\n"
    "dead-letters list [FILTER...] [--settled] [-f text|json]\n"
    "dead-letters explain PARTITION:OFFSET [-f text|json]\n"
    "dead-letters retry PARTITION:OFFSET... | --all [FILTER...]  [-n] [-y] [--force]\n"
    "dead-letters retry PARTITION:OFFSET --json FILE | --value-file FILE\n"
    "dead-letters dismiss PARTITION:OFFSET... | --all [FILTER...]  [-n] [-y]\n"
    "\n"
    "  list     the letters that are open, one a line\n"
    "  explain  all that is known of one: headers, bytes, the value as far as it can be read, "
    "what\n"
    "           is wrong and what to do\n"
    "  retry    puts records back on their topics, unchanged or corrected, and marks the letters\n"
    "  dismiss  only marks letters as dealt with\n"
    "\n"
    "A filter is any of\n"
    "  -t, --topic NAME      from this topic (TOPIC_PREFIX is added), or okx:trades-all and the "
    "like\n"
    "  -s, --stage NAME      parse, decode or store\n"
    "  -r, --reason NAME     of this error or SQLSTATE: protocol, 23514\n"
    "      --since WHEN      put aside since 2026-11-23, 2026-11-23T08:00:00Z, or 90m, 12h, 7d "
    "ago\n"
    "\n"
    "      --settled         also list what was put back or dismissed\n"
    "  -f, --format NAME     text (default) or json, an object a line\n"
    "  -a, --all             every open letter that passes the filters\n"
    "      --attempts-max N  with --all: leave alone what was a letter more than N times (3)\n"
    "  -n, --dry-run         say what would be done, and do nothing\n"
    "  -y, --yes             do not ask before --all is done\n"
    "      --force           also what is settled, cannot be decoded, or is older than what its\n"
    "                        compacted topic has under the key\n"
    "      --json FILE       put this back instead, in the form that avrocat and explain print it "
    "in,\n"
    "                        encoded by the topic's schema; -: standard input\n"
    "      --value-file FILE put these bytes back instead, as they are; -: standard input\n"
    "\n"
    "To correct one:  dead-letters explain -f json 0:17 | jq .value > v.json\n"
    "                 $EDITOR v.json; dead-letters retry 0:17 --json v.json\n"
    "\n"
    "A record that is put back goes to the partition of its key, with its headers and the time of\n"
    "putting it back. If it fails again it is a letter again, with its attempts counted.\n"
    "\n"
    "Exit status 3: there is no such letter or topic. 1: Kafka or the registry cannot be reached,\n"
    "or a letter was not put back.\n";

enum {
    OPTION_ACTION = 256,
    OPTION_SINCE,
    OPTION_SETTLED,
    OPTION_ATTEMPTS,
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_VALUE
};

static const struct option long_options[] = {
    {"topic", required_argument, NULL, 't'},
    {"stage", required_argument, NULL, 's'},
    {"reason", required_argument, NULL, 'r'},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"settled", no_argument, NULL, OPTION_SETTLED},
    {"format", required_argument, NULL, 'f'},
    {"all", no_argument, NULL, 'a'},
    {"attempts-max", required_argument, NULL, OPTION_ATTEMPTS},
    {"dry-run", no_argument, NULL, 'n'},
    {"yes", no_argument, NULL, 'y'},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"json", required_argument, NULL, OPTION_JSON},
    {"value-file", required_argument, NULL, OPTION_VALUE},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_ACTION},
    {"check-config", no_argument, NULL, OPTION_ACTION},
    {"print-config", no_argument, NULL, OPTION_ACTION},
    {NULL, 0, NULL, 0},
};

/* The options that each verb takes. */
static const struct {
    const char *name;
    const char *letters; /* short ones */
    int longs[8];
} verbs[] = {
    [VERB_LIST] = {"list", "tsrf", {OPTION_SINCE, OPTION_SETTLED}},
    [VERB_EXPLAIN] = {"explain", "f", {0}},
    [VERB_RETRY] = {"retry",
                    "tsrany",
                    {OPTION_SINCE, OPTION_ATTEMPTS, OPTION_FORCE, OPTION_JSON, OPTION_VALUE}},
    [VERB_DISMISS] = {"dismiss", "tsrany", {OPTION_SINCE, OPTION_ATTEMPTS}},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static bool verb_takes(enum dead_letters_verb verb, int option)
{
    if (option < OPTION_ACTION)
        return strchr(verbs[verb].letters, option) != NULL;
    for (size_t i = 0; i < sizeof verbs[verb].longs / sizeof(int); i++)
        if (verbs[verb].longs[i] == option)
            return true;
    return false;
}

static int read_since(const char *text, int64_t now_ms, int64_t *since_ms, struct err *err)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    struct text_view number = text_view_of(text);
    struct err ignored = {0};
    int64_t count = 0;
    int64_t ago_ms = 0;
    char unit = number.length > 0 ? number.data[--number.length] : '\0';

    if (rfc3339_parse_ms(text_view_of(text), since_ms, &ignored) == 0)
        return 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (unit == units[i].unit && text_view_read_int64(number, &count, &ignored) == 0 &&
            count >= 0 && !__builtin_mul_overflow(count, units[i].ms, &ago_ms)) {
            *since_ms = ago_ms < now_ms ? now_ms - ago_ms : 0;
            return 0;
        }
    }
    return err_set(
        err, ERR_CONFIG,
        "--since %.60s is neither a date (2026-11-23), a time (2026-11-23T08:00:00Z) nor "
        "a duration (12h)",
        text);
}

static int read_attempts(const char *text, int64_t *attempts, struct err *err)
{
    struct err ignored = {0};
    int64_t number = 0;

    if (text_view_read_int64(text_view_of(text), &number, &ignored) != 0 || number < 1)
        return err_set(err, ERR_CONFIG, "--attempts-max %.60s is no number from 1", text);
    *attempts = number;
    return 0;
}

static int read_format(const char *text, bool *is_json, struct err *err)
{
    *is_json = strcmp(text, "json") == 0;
    if (!*is_json && strcmp(text, "text") != 0)
        return err_set(err, ERR_CONFIG, "-f %.60s is neither text nor json", text);
    return 0;
}

/* One case per option. */
static int apply(int option, int64_t now_ms, struct dead_letters_options *options, struct err *err)
{
    switch (option) {
    case 't':
        options->filter.topic = optarg;
        return 0;
    case 's':
        options->filter.stage = optarg;
        return 0;
    case 'r':
        options->filter.reason = optarg;
        return 0;
    case OPTION_SINCE:
        return read_since(optarg, now_ms, &options->filter.since_ms, err);
    case OPTION_SETTLED:
        options->shows_settled = true;
        return 0;
    case 'f':
        return read_format(optarg, &options->is_json, err);
    case 'a':
        options->all = true;
        return 0;
    case OPTION_ATTEMPTS:
        return read_attempts(optarg, &options->attempts_max, err);
    case 'n':
        options->is_dry_run = true;
        return 0;
    case 'y':
        options->is_confirmed = true;
        return 0;
    case OPTION_FORCE:
        options->is_forced = true;
        return 0;
    case OPTION_JSON:
        options->json_file = optarg;
        return 0;
    case OPTION_VALUE:
        options->value_file = optarg;
        return 0;
    default:
        return 0;
    }
}

static int take_option(int option, const char *argument, int64_t now_ms,
                       struct dead_letters_options *options, struct err *err)
{
    char name[OPTION_NAME_BYTES];

    option_name(argument, option == '?' || option == ':' ? optopt : option, name);
    if (option == ':')
        return err_set(err, ERR_CONFIG, "%s needs a value, see dead-letters --help", name);
    if (option == '?')
        return err_set(err, ERR_CONFIG, "unknown option %s, see dead-letters --help", name);
    if (option == 'h' || option == OPTION_ACTION) {
        options->action = option == 'h' ? "--help" : argument;
        return 0;
    }
    if (options->verb == VERB_NONE)
        return err_set(err, ERR_CONFIG, "the verb comes first, see dead-letters --help");
    if (!verb_takes(options->verb, option))
        return err_set(err, ERR_CONFIG, "%s does not take %s, see dead-letters --help",
                       verbs[options->verb].name, name);
    return apply(option, now_ms, options, err);
}

static int add_position(const char *text, struct dead_letters_options *options, struct err *err)
{
    struct letter_position position = {0};

    if (letter_position_parse(text, &position, err) != 0)
        return -1;
    options->positions = mem_realloc_array(options->positions, options->position_count + 1,
                                           sizeof *options->positions);
    options->positions[options->position_count++] = position;
    return 0;
}

static int find_verb(const char *name, enum dead_letters_verb *verb, struct err *err)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            *verb = (enum dead_letters_verb)i;
            return 0;
        }
    }
    return err_set(err, ERR_CONFIG,
                   "'%.60s' is none of list, explain, retry and dismiss, see dead-letters --help",
                   name);
}

static int check_settling(const struct dead_letters_options *options, struct err *err)
{
    const struct letter_filter *filter = &options->filter;
    const char *verb = verbs[options->verb].name;
    bool has_filter = filter->topic || filter->stage || filter->reason || filter->since_ms != 0;
    bool is_corrected = options->json_file || options->value_file;

    if (options->all == (options->position_count > 0))
        return err_set(err, ERR_CONFIG, "%s takes either positions (0:17) or --all", verb);
    if (has_filter && !options->all)
        return err_set(err, ERR_CONFIG, "%s takes filters with --all only", verb);
    if (options->json_file && options->value_file)
        return err_set(err, ERR_CONFIG, "--json and --value-file exclude each other");
    if (is_corrected && options->position_count != 1)
        return err_set(err, ERR_CONFIG, "a corrected value belongs to one letter");
    return 0;
}

/* What only the whole of the arguments shows. */
static int check(const struct dead_letters_options *options, struct err *err)
{
    switch (options->verb) {
    case VERB_LIST:
        if (options->position_count > 0)
            return err_set(err, ERR_CONFIG, "list takes no positions; explain does");
        return 0;
    case VERB_EXPLAIN:
        if (options->position_count != 1)
            return err_set(err, ERR_CONFIG, "explain takes the position of one letter, 0:17 say");
        return 0;
    case VERB_RETRY:
    case VERB_DISMISS:
        return check_settling(options, err);
    case VERB_NONE:
        break;
    }
    return err_set(err, ERR_CONFIG, "the verb comes first, see dead-letters --help");
}

/* Options and positions may stand in any order behind the verb. */
static int parse_rest(int argc, char **argv, int64_t now_ms, struct dead_letters_options *options,
                      struct err *err)
{
    int option = 0;
    int argument = 1; /* the one that is being read */

    opterr = 0; /* we say what is wrong */
    optind = 0; /* start over, whoever parsed before */
    while ((option = getopt_long(argc, argv, "-:t:s:r:f:anyh", long_options, NULL)) != -1) {
        int status = option == 1 ? add_position(optarg, options, err)
                                 : take_option(option, argv[argument], now_ms, options, err);

        if (status != 0)
            return -1;
        argument = optind;
    }
    for (; optind < argc; optind++)
        if (add_position(argv[optind], options, err) != 0)
            return -1;
    return options->action ? 0 : check(options, err);
}

int dead_letters_options_parse(int argc, char **argv, int64_t now_ms,
                               struct dead_letters_options *options, struct err *err)
{
    struct dead_letters_options parsed = {.verb = VERB_NONE, .attempts_max = ATTEMPTS_MAX_FALLBACK};
    bool has_verb = argc > 1 && argv[1][0] != '-';

    if (argc < 2)
        return err_set(err, ERR_CONFIG,
                       "say what to do: list, explain, retry or dismiss, see dead-letters --help");
    if (has_verb && find_verb(argv[1], &parsed.verb, err) != 0)
        return -1;
    if (parse_rest(argc - has_verb, argv + has_verb, now_ms, &parsed, err) != 0) {
        dead_letters_options_clear(&parsed);
        return -1;
    }
    *options = parsed;
    return 0;
}

void dead_letters_options_clear(struct dead_letters_options *options)
{
    free(options->positions);
    options->positions = NULL;
    options->position_count = 0;
}
