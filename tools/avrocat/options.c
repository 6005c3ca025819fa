#include "options.h"

#include <getopt.h>
#include <string.h>

#include "base/option_name.h"
#include "base/text_view.h"

const char avrocat_options_help[] =
    "\n"
    "avrocat [-t TOPIC] [-p PARTITION] [-o beginning|end|N|-N] [-c COUNT] [-e]\n"
    "        [-f json|csv] [-V] [-r]\n"
    "\n"
    "  -t, --topic NAME      topic to read; trades, candles, currencies, control, fetch-results,\n"
    "                        positions and dead-letters get TOPIC_PREFIX, other names are taken "
    "as\n"
    "                        they stand (default: trades)\n"
    "  -p, --partition N     this partition only (default: all)\n"
    "  -o, --offset WHERE    beginning, end, an offset, or -N for the last N records; in each\n"
    "                        partition (default: beginning)\n"
    "  -c, --count N         end after N records (default: no limit)\n"
    "  -e, --exit-at-end     end where the partitions end, instead of waiting for more\n"
    "  -f, --format NAME     json: one object a line (default); csv: with a header line\n"
    "  -V, --value-only      the values without topic, partition, offset, timestamp and key\n"
    "  -r, --raw             do not decode the values, show them as text, or as base64\n"
    "                        (dead-letters is always read like this)\n"
    "\n"
    "A line of JSON is {\"topic\":..., \"partition\":..., \"offset\":..., \"timestamp\":..., "
    "\"key\":...,\n"
    "\"headers\":{...}, \"value\":{...}}; headers only where there are any. Decimals are exact "
    "text in\n"
    "quotes, times RFC 3339 in UTC, bytes base64; a union is its value; a tombstone is null. A "
    "value\n"
    "that cannot be decoded is reported on stderr and shown as {..., \"value\":null, "
    "\"error\":...,\n"
    "\"raw\":base64}. In CSV, cells that are no single value hold JSON. Each line is written out "
    "at\n"
    "once while following. For jq:  avrocat | jq '.value | select(.side == \"buy\") | .px'\n"
    "\n"
    "Exit status 3: there is no such topic or partition. 1: Kafka or the registry cannot be "
    "reached.\n"
    "Ctrl-C and a closed pipe are ordinary ends, status 0.\n";

enum { OPTION_ACTION = 256 };

static const struct option long_options[] = {
    {"topic", required_argument, NULL, 't'},
    {"partition", required_argument, NULL, 'p'},
    {"offset", required_argument, NULL, 'o'},
    {"count", required_argument, NULL, 'c'},
    {"exit-at-end", no_argument, NULL, 'e'},
    {"format", required_argument, NULL, 'f'},
    {"value-only", no_argument, NULL, 'V'},
    {"raw", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_ACTION},
    {"check-config", no_argument, NULL, OPTION_ACTION},
    {"print-config", no_argument, NULL, OPTION_ACTION},
    {NULL, 0, NULL, 0},
};

static int read_number(const char *option, const char *text, int64_t min, int64_t max,
                       int64_t *value, struct err *err)
{
    struct err reason = {0};
    int64_t number = 0;

    if (text_view_read_int64(text_view_of(text), &number, &reason) != 0 || number < min ||
        number > max)
        return err_set(err, ERR_CONFIG, "%s %s is no number from %lld to %lld", option, text,
                       (long long)min, (long long)max);
    *value = number;
    return 0;
}

static int read_start(const char *text, struct avrocat_options *options, struct err *err)
{
    int64_t number = 0;
    struct err reason = {0};

    if (strcmp(text, "beginning") == 0) {
        options->start_at = START_AT_BEGINNING;
        return 0;
    }
    if (strcmp(text, "end") == 0) {
        options->start_at = START_AT_END;
        return 0;
    }
    if (text_view_read_int64(text_view_of(text), &number, &reason) != 0 || number < -INT32_MAX)
        return err_set(err, ERR_CONFIG, "-o %s is not beginning, end, an offset, or -N", text);
    options->start_at = number < 0 ? START_AT_BEFORE_END : START_AT_OFFSET;
    options->offset = number < 0 ? -number : number;
    return 0;
}

static int read_format(const char *text, struct avrocat_options *options, struct err *err)
{
    if (strcmp(text, "json") != 0 && strcmp(text, "csv") != 0)
        return err_set(err, ERR_CONFIG, "-f %s is neither json nor csv", text);
    options->format = strcmp(text, "csv") == 0 ? OUTPUT_CSV : OUTPUT_JSON;
    return 0;
}

static int refuse(int option, const char *argument, struct err *err)
{
    char name[OPTION_NAME_BYTES];

    option_name(argument, optopt, name);
    if (option == ':')
        return err_set(err, ERR_CONFIG, "%s needs a value, see avrocat --help", name);
    return err_set(err, ERR_CONFIG, "unknown argument '%s', see avrocat --help", name);
}

static int apply(int option, const char *argument, struct avrocat_options *options, struct err *err)
{
    int64_t number = 0;

    switch (option) {
    case 't':
        options->topic = optarg;
        return 0;
    case 'p':
        if (read_number("-p", optarg, 0, INT32_MAX, &number, err) != 0)
            return -1;
        options->partition = (int32_t)number;
        return 0;
    case 'o':
        return read_start(optarg, options, err);
    case 'c':
        return read_number("-c", optarg, 1, INT64_MAX, &options->count_max, err);
    case 'e':
        options->ends_at_end = true;
        return 0;
    case 'f':
        return read_format(optarg, options, err);
    case 'V':
        options->value_only = true;
        return 0;
    case 'r':
        options->is_raw = true;
        return 0;
    case 'h':
        options->action = "--help";
        return 0;
    case OPTION_ACTION:
        options->action = argument;
        return 0;
    default:
        return refuse(option, argument, err);
    }
}

int avrocat_options_parse(int argc, char **argv, struct avrocat_options *options, struct err *err)
{
    struct avrocat_options parsed = {.topic = "trades", .count_max = -1, .partition = -1};
    int option = 0;
    int argument = 1; /* the one that is being read */

    opterr = 0; /* we say what is wrong */
    optind = 0; /* start over, whoever parsed before */
    while ((option = getopt_long(argc, argv, "+:t:p:o:c:ef:Vrh", long_options, NULL)) != -1) {
        if (apply(option, argv[argument], &parsed, err) != 0)
            return -1;
        argument = optind;
    }
    if (optind < argc)
        return err_set(err, ERR_CONFIG, "unknown argument '%s', see avrocat --help", argv[optind]);
    *options = parsed;
    return 0;
}
