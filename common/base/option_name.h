/*
 * How an option was written, for messages about what getopt_long() refused: it tells a letter, and
 * an index that may point anywhere around the argument. Pure.
 */
#ifndef BASE_OPTION_NAME_H
#define BASE_OPTION_NAME_H

enum { OPTION_NAME_BYTES = 64 };

/*
 * Writes the argument, cut to size, if it is a long option ("--topic=x"), else the letter alone:
 * "-x" also amid others (-qx). argument: argv[optind] as it was before the call, or argv[1] before
 * the first one. letter: what was returned, or optopt.
 */
void option_name(const char *argument, int letter, char name[OPTION_NAME_BYTES]);

#endif
