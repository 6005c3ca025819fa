#!/usr/bin/env bash
# Formatting, static analysis and house rules; expects compile_commands.json (make lint makes it).
# Every check runs, so that one run shows everything. lint.sh [CHECK...] runs only the named ones.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

mapfile -t c_files < <(git ls-files --cached --others --exclude-standard -- '*.c' '*.h')
mapfile -t shell_files < <(git ls-files --cached --others --exclude-standard -- '*.sh' '.ci/run')
jobs=$(nproc)

check_format() {
    clang-format --dry-run -Werror "${c_files[@]}"
}

# "N warnings generated" counts what the system headers have suppressed; it says nothing.
check_tidy() {
    sed -n 's/.*"file": "\([^"]*\)".*/\1/p' compile_commands.json |
        xargs -P "$jobs" -n 4 clang-tidy -p . --quiet --extra-arg=-Wno-unknown-warning-option 2>&1 |
        grep -Ev '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter'
    [[ ${PIPESTATUS[1]} -eq 0 ]]
}

# shiftTooManyBitsSigned: >> of a negative number is arithmetic in gcc and clang, and zigzag decoding needs it.
check_cppcheck() {
    cppcheck --quiet --std=c11 --language=c --error-exitcode=1 -j "$jobs" --inline-suppr \
        --enable=warning,performance,portability --suppress=missingIncludeSystem \
        --suppress=normalCheckLevelMaxBranches --suppress=shiftTooManyBitsSigned -D_GNU_SOURCE \
        '-Djson_array_foreach(array,index,value)=for(index=0;(value=json_array_get(array,index));index++)' \
        '-Djson_object_foreach(object,key,value)=for(;key=next_key(object),value=next_value(object);)' \
        -Icommon -Iservices -Itools -I. common services tools
}

check_shell() {
    shellcheck -x "${shell_files[@]}"
}

# Functions that cannot report an error or know no limit.
check_banned() {
    ! grep -nE '\b(atoi|atol|atoll|atof|sscanf|vsscanf|strtok|strtok_r|strcat|strncat|sprintf|vsprintf|gets|strcpy)[[:space:]]*\(' \
        "${c_files[@]}"
}

check_python() {
    local file
    git ls-files --cached --others --exclude-standard -- '*.py' | while read -r file; do
        python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || exit 1
    done
}

main() {
    local check failed=()
    [[ $# -gt 0 ]] || set -- format banned shell python cppcheck tidy
    for check in "$@"; do
        if "check_$check"; then
            printf 'lint: %-9s ok\n' "$check"
        else
            printf 'lint: %-9s FAILED\n' "$check"
            failed+=("$check")
        fi
    done
    [[ ${#failed[@]} -eq 0 ]]
}

main "$@"
