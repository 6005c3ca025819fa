#!/usr/bin/env bash
# The tests, stage by stage: run_all.sh [STAGE...]; without arguments all but the long one (e2e-long).
# All stages run even when one fails. Output also goes to build/test-logs/STAGE.log; the last line sums
# everything up as "N passed, N failed", and the exit status is 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
unset MAKEFLAGS MAKELEVEL # called by make, but the job server is not handed down

readonly sanitizers=address,undefined
readonly usual_stages=(build unit build-sanitized unit-sanitized integration instructions e2e chaos)
readonly long_stages=(e2e-long)
logs=build/test-logs
jobs=$(nproc)
workers=$((jobs < 3 ? jobs + 1 : 4)) # each has servers of its own, and mostly waits
passed=0
failed=0
failed_stages=()

make_quietly() { make -s -j "$jobs" "$@"; }

# run_e2e MARKS: the end-to-end tests with these marks.
run_e2e() {
    .venv/bin/python -m pytest -q -rs --durations=10 -n "$workers" --dist loadfile -m "$1" tests/e2e
}

run_stage() {
    case $1 in
        build) make_quietly build ;;
        unit) make_quietly unit ;;
        build-sanitized) make_quietly SAN=$sanitizers build ;;
        unit-sanitized) make_quietly SAN=$sanitizers unit ;;
        integration) make_quietly integration ;;
        instructions) make_quietly instructions ;;
        e2e) run_e2e 'not long' ;;
        e2e-long) run_e2e long ;;
        chaos) make_quietly chaos PROFILE=short ;;
        *)
            echo "unknown stage '$1' (${usual_stages[*]} ${long_stages[*]})" >&2
            return 2
            ;;
    esac
}

# count WORD LOG: the number before WORD in the stage's last summary line, which run_cmocka.sh and pytest word alike.
count() {
    grep -E '[0-9]+ (passed|failed|errors?)(,| in |$)' "$2" | tail -n 1 | grep -oE "[0-9]+ $1" | grep -oE '[0-9]+' || echo 0
}

# A stage that fails without naming a failed test (a build, a crash of the runner) counts as one.
add_counts() {
    local log=$1 status=$2 bad
    passed=$((passed + $(count passed "$log")))
    bad=$(($(count failed "$log") + $(count 'errors?' "$log")))
    if [[ $status -ne 0 && $bad -eq 0 ]]; then
        bad=1
    fi
    failed=$((failed + bad))
}

main() {
    local stage status started
    mkdir -p "$logs"
    [[ $# -gt 0 ]] || set -- "${usual_stages[@]}"
    for stage in "$@"; do
        printf '=== %s\n' "$stage"
        started=$SECONDS
        run_stage "$stage" 2>&1 | tee "$logs/$stage.log"
        status=${PIPESTATUS[0]}
        add_counts "$logs/$stage.log" "$status"
        if [[ $status -eq 0 ]]; then
            printf '=== %s ok in %d s\n' "$stage" $((SECONDS - started))
        else
            printf '=== %s FAILED in %d s; log: %s\n' "$stage" $((SECONDS - started)) "$logs/$stage.log"
            failed_stages+=("$stage")
        fi
    done
    [[ $failed -eq 0 ]] || printf 'failed: %s\n' "${failed_stages[*]}"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [[ $failed -eq 0 ]]
}

main "$@"
