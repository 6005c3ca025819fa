#!/usr/bin/env bash
# Runs cmocka programs: a line for each, the whole output of those that fail, and the sums.
# usage: run_cmocka.sh PROGRAM...     Exit status: 0 if every test of every program passed.
set -uo pipefail

passed=0
failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# count WORD: the sum of N over cmocka's lines "[  WORD  ] N test(s)".
count() {
    sed -n "s/^\[  $1  \] \([0-9][0-9]*\) test(s).*/\1/p" "$output" | awk '{ sum += $1 } END { print sum + 0 }'
}

for program in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=stdout timeout "${TEST_TIMEOUT:-300}" "$program" >"$output" 2>&1
    status=$?
    ok=$(count PASSED)
    bad=$(count FAILED)
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 # crashed, timed out, or a sanitizer spoke
    elif [ "$status" -eq 0 ] && [ "$ok" -eq 0 ] && ! grep -q 'SKIPPED' "$output"; then
        bad=1 # ended without running a test
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    name=${program##*/tests/}
    if [ "$bad" -eq 0 ]; then
        echo "ok    $name ($ok)"
    else
        cat "$output"
        echo "FAIL  $name ($ok passed, $bad failed, exit status $status)"
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
