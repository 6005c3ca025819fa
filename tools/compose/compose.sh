#!/usr/bin/env bash
# What the Makefile's targets around docker-compose.yml do: compose.sh VERB [ARGUMENT]...
# migrate, psql and tail reach the services of the compose project when it runs, and those of the environment's PG*,
# KAFKA_* and SCHEMA_REGISTRY_* variables otherwise or when these are set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly all_profiles=sim,observability,tools
readonly database=currency_trends

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# Compose v2, or docker-compose 1.29.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose "$@"
    else
        docker-compose "$@"
    fi
}

is_running() {
    command -v docker >/dev/null && [[ -e docker/env/db.env && -n $(compose ps -q "$1" 2>/dev/null) ]]
}

# make_secret NAME [TEXT]: containers read it as another user, so it is the folder that keeps others away.
make_secret() {
    [[ -e docker/secrets/$1 ]] && return
    printf '%s' "${2:-}" >"docker/secrets/$1"
    chmod 644 "docker/secrets/$1"
    say "made docker/secrets/$1"
}

# What `docker compose up` needs and a clone does not hold. Keeps what is there.
prepare() {
    local example
    for example in docker/env/*.env.example; do
        [[ -e ${example%.example} ]] && continue
        cp "$example" "${example%.example}"
        say "made ${example%.example}"
    done
    chmod 700 docker/secrets
    make_secret postgres_password "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    make_secret okx_api_key
    make_secret okx_api_secret
    make_secret okx_api_passphrase
}

build_images() {
    COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
    export COMMIT
    COMPOSE_PROFILES=$all_profiles compose build
}

start() {
    prepare
    compose up -d
    say "started; 'docker compose ps' tells when all are healthy"
}

scale() {
    [[ -n ${1:-} && -n ${2:-} ]] || die "usage: make scale s=ingestor n=3"
    compose up -d --no-deps --no-recreate --scale "$1=$2" "$1"
}

migrate() {
    if [[ $1 == create || -n ${PGHOST:-}${PGPORT:-}${PGDATABASE:-}${PGSERVICE:-} ]] || ! is_running postgres; then
        migrations/migrate.sh "$@"
    else
        compose run --rm --no-deps migrations "$@"
    fi
}

run_psql() {
    if [[ -n ${PGHOST:-}${PGPORT:-}${PGDATABASE:-}${PGSERVICE:-} ]] || ! is_running postgres; then
        psql "$@"
    else
        compose exec postgres psql -U "$database" "$@"
    fi
}

topics() {
    is_running kafka1 || die "the compose project does not run: make start"
    compose exec -T kafka1 /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka1:9092 --describe |
        awk '/^Topic:/ { sub(/TopicId: [^\t]*\t/, ""); print }'
}

# New records of a topic, decoded.
tail_topic() {
    if [[ -n ${KAFKA_BOOTSTRAP_SERVERS:-} ]]; then
        build/bin/avrocat --topic "$1" --offset end
    else
        is_running kafka1 || die "the compose project does not run (make start), nor is KAFKA_BOOTSTRAP_SERVERS set"
        compose run --rm --no-deps avrocat --topic "$1" --offset end
    fi
}

verb=${1:-}
[[ $# -eq 0 ]] || shift
case $verb in
prepare | start | scale | migrate | topics) "$verb" "$@" ;;
build) build_images ;;
down) COMPOSE_PROFILES=$all_profiles compose down ;;
logs) compose logs -f --tail=100 ${1:+"$1"} ;;
ps) COMPOSE_PROFILES=$all_profiles compose ps ;;
psql) run_psql "$@" ;;
tail) tail_topic "${1:-trades}" ;;
*) die "usage: compose.sh prepare|build|start|down|logs|ps|scale|migrate|psql|topics|tail [ARGUMENT]..." ;;
esac
