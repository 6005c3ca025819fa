/* Compiler attributes that the project uses, by their meaning. */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

/* The caller must look at the result: it may be a failure, or it owns something. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* The arguments are checked against the format as printf's are. */
#define PRINTF_LIKE(format_index, first_argument)                                                  \
    __attribute__((format(printf, format_index, first_argument)))

#endif
