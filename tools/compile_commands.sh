#!/usr/bin/env bash
# Prints compile_commands.json for clang-tidy and editors: compile_commands.sh CC "CFLAGS" SOURCE...
# The Makefile passes the source list; the include paths per folder are those of its rules.
set -euo pipefail

json_string() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

# The folder of the program or library that the source belongs to, and what tests see besides.
include_flags() {
    local first rest
    first=${1%%/*}
    rest=${1#*/}
    printf -- '-I%s/%s' "$first" "${rest%%/*}"
    if [[ $first == tests ]]; then
        printf -- ' -Iservices -Itools -I.'
    fi
}

main() {
    local compiler=$1 flags=$2 separator='' source
    shift 2
    if [[ $flags != *PROGRAM_VERSION* ]]; then
        flags+=' -DPROGRAM_VERSION=\"\" -DPROGRAM_COMMIT=\"\"'
    fi
    echo '['
    for source in "$@"; do
        printf '%s{"directory": %s, "file": %s, "command": %s}' "$separator" "$(json_string "$PWD")" \
            "$(json_string "$source")" "$(json_string "$compiler $flags $(include_flags "$source") -c $source")"
        separator=$',\n'
    done
    printf '\n]\n'
}

main "$@"
