#!/usr/bin/env bash
# Applies the migrations of this folder with psql; the server is libpq's (PGHOST, PGDATABASE, ...).
# Files and the table schema_migrations are golang-migrate's, and so is the advisory lock: the two
# may be used in turn on one database, and never run at the same time.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: migrate.sh up           apply every pending migration
       migrate.sh down [N]     take the last N migrations back (1)
       migrate.sh version      print the version of the database
       migrate.sh create NAME  make an empty pair of files
The database is that of PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD (libpq's variables), or PGPASSWORD_FILE.
Exit status: 0 done, 1 failed (the database is as after the last step that was reported), 2 usage.
TEXT
}

fail() {
    printf 'migrate: %s\n' "$1" >&2
    exit "${2:-1}"
}

# One session for everything that it is given on standard input: the lock lives as long.
run_psql() {
    PGAPPNAME=${PGAPPNAME:-migrate} PGOPTIONS="${PGOPTIONS:-} -c client_min_messages=warning" \
        psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"
}

sql_quote() {
    printf "'%s'" "${1//\'/\'\'}"
}

# The files of one direction, oldest first.
list_files() {
    find "$folder" -maxdepth 1 -name "[0-9]*_*.$1.sql" -printf '%f\n' | sort -n
}

version_of() {
    printf '%s' "${1%%_*}"
}

# golang-migrate's key: CRC-32 of schema, table and database with NULs between, times a salt.
lock_key() {
    local crc
    crc=$(printf '%s\0%s\0%s' "$1" schema_migrations "$2" | gzip -c | tail -c 8 | od -An -N4 -tu4)
    printf '%s' $((crc * 1486364155 % 4294967296))
}

print_prologue() {
    local names
    names=$(run_psql --field-separator ' ' \
        --command "SELECT current_schema(), current_database()") || exit 1
    cat <<SQL
\\set VERBOSITY terse
SELECT pg_advisory_lock($(lock_key "${names%% *}" "${names#* }")) \\g /dev/null
CREATE TABLE IF NOT EXISTS schema_migrations (
    version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
DO \$\$
DECLARE
    broken bigint := (SELECT version FROM schema_migrations WHERE dirty);
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'the database is dirty: migration % stopped half-way (golang-migrate left it so). '
            'Bring the schema by hand to a known version, then '
            'UPDATE schema_migrations SET version = that version, dirty = false', broken;
    END IF;
END
\$\$;
\\set steps 0
SQL
}

# Prints one step: the file and the new version in one transaction. An empty version clears it.
print_step() {
    local file=$1 version=$2
    cat <<SQL
BEGIN;
\\i $(sql_quote "$folder/$file")
DELETE FROM schema_migrations;
${version:+INSERT INTO schema_migrations (version, dirty) VALUES ($version, false);}
COMMIT;
\\echo applied $file
SELECT :steps + 1 AS steps \\gset
SQL
}

# Every file is offered; the version that the session sees under the lock decides.
print_up() {
    local file version
    for file in $(list_files up); do
        version=$(version_of "$file")
        cat <<SQL
SELECT coalesce(max(version), -1) < $version AS due FROM schema_migrations \\gset
\\if :due
$(print_step "$file" "$version")
\\endif
SQL
    done
}

print_down() {
    local wanted=$1 file version previous i
    local files=()
    mapfile -t files < <(list_files down)
    cat <<SQL
DO \$\$
DECLARE
    current bigint := (SELECT version FROM schema_migrations);
BEGIN
    IF current NOT IN ($(printf '%s, ' "${files[@]%%_*}")-1) THEN
        RAISE EXCEPTION 'no migration of version % is here; take it back with the files that made it', current;
    END IF;
END
\$\$;
SQL
    for ((i = ${#files[@]} - 1; i >= 0; i--)); do
        file=${files[i]}
        version=$(version_of "$file")
        previous=
        if ((i > 0)); then
            previous=$(version_of "${files[i - 1]}")
        fi
        cat <<SQL
SELECT coalesce(max(version), -1) = $version AND :steps < $wanted AS due FROM schema_migrations \\gset
\\if :due
$(print_step "$file" "$previous")
\\endif
SQL
    done
}

print_epilogue() {
    cat <<'SQL'
SELECT coalesce(max(version)::text, 'none') AS now_at FROM schema_migrations \gset
\echo migrate: :steps applied, the database is at version :now_at
SQL
}

migrate() {
    local script
    script=$(print_prologue && "$@" && print_epilogue)
    run_psql <<<"$script" || fail "stopped; the step that failed was rolled back"
}

show_version() {
    run_psql --field-separator ' ' <<'SQL' || exit 1
SELECT to_regclass('schema_migrations') IS NOT NULL AS exists \gset
\if :exists
SELECT coalesce((SELECT version || CASE WHEN dirty THEN ' (dirty)' ELSE '' END
                 FROM schema_migrations), 'none');
\else
\echo none
\endif
SQL
}

create() {
    local name=$1 version newest base direction
    [[ $name =~ ^[a-z0-9_]+$ ]] || fail "a name has small letters, digits and underscores: '$name'" 2
    version=$(date -u +%Y%m%d%H%M%S)
    newest=$(list_files up | tail -n 1)
    newest=$(version_of "${newest:-0_}")
    if ((version <= newest)); then # a clock that lags would make a migration that is never due
        version=$((newest + 1))
    fi
    base=$folder/${version}_$name
    for direction in up down; do
        (set -o noclobber && : >"$base.$direction.sql") || exit 1
        printf '%s\n' "$base.$direction.sql"
    done
}

# What the Go program called them (common/base/former_names.c).
take_former_names() {
    local former name
    while read -r former name; do
        if [[ -n ${!former:-} && -z ${!name:-} ]]; then
            printf 'migrate: %s is deprecated, its name is %s now\n' "$former" "$name" >&2
            export "$name=${!former}"
        fi
    done <<<'DB_HOST PGHOST
DB_PORT PGPORT
DB_NAME PGDATABASE
DB_USER PGUSER
DB_PASSWORD PGPASSWORD'
}

folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
if [[ -z ${PGPASSWORD:-} && -n ${PGPASSWORD_FILE:-} ]]; then
    PGPASSWORD=$(<"$PGPASSWORD_FILE")
    export PGPASSWORD
fi
take_former_names
case ${1:-} in
up)
    [[ $# == 1 ]] || fail "up takes no argument" 2
    migrate print_up
    ;;
down)
    [[ ${2:-1} =~ ^[1-9][0-9]*$ ]] || fail "down takes a number of migrations, not '$2'" 2
    migrate print_down "${2:-1}"
    ;;
version)
    show_version
    ;;
create)
    [[ -n ${2:-} ]] || fail "create takes a name" 2
    create "$2"
    ;;
-h | --help | help)
    usage
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
