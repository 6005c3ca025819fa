#!/usr/bin/env bash
# Allows each service in Kafka what it needs, and nothing else. Brokers must forbid by default (an authorizer, and no
# allow.everyone.if.no.acl.found), and know the users, which are named as the services. Run again it changes nothing.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: kafka-acls.sh --bootstrap-server HOST:PORT [--command-config FILE] [OPTION...]
       kafka-acls.sh --print [OPTION...]
  --prefix TOPIC_PREFIX  as the services have it
  --user NAME  only ingestor, persister or scheduler
  --create  let the services also create the topics that are missing; without it create them yourself
  --print   print what would be allowed, as lines of USER OPERATION RESOURCE NAME
KAFKA_ACLS names the command that talks to Kafka (kafka-acls.sh).
TEXT
}

readonly topics='trades candles currencies control fetch-results positions dead-letters'

# USER OPERATION RESOURCE NAME...; names without the prefix.
print_needs() {
    cat <<TEXT
ingestor Write topic $topics
ingestor Read topic control positions trades
ingestor Read group ingestor
persister Describe topic $topics
persister Read topic trades candles currencies control fetch-results
persister Read group persister
persister Write topic dead-letters
scheduler Describe topic $topics
scheduler Read topic control fetch-results
scheduler Read group scheduler
scheduler Write topic control
TEXT
    if [[ -n $may_create ]]; then
        printf '%s Create topic %s\n' ingestor "$topics" persister "$topics" scheduler "$topics"
    fi
}

print_lines() {
    local user operation resource names name
    while read -r user operation resource names; do
        [[ -z $only || $user == "$only" ]] || continue
        for name in $names; do
            printf '%s %s %s %s\n' "$user" "$operation" "$resource" "$prefix$name"
        done
    done < <(print_needs)
}

apply() {
    local user operation resource names name options
    while read -r user operation resource names; do
        [[ -z $only || $user == "$only" ]] || continue
        options=()
        for name in $names; do
            options+=("--$resource" "$prefix$name")
        done
        "${KAFKA_ACLS:-kafka-acls.sh}" "${connection[@]}" --add --allow-principal "User:$user" \
            --operation "$operation" "${options[@]}" </dev/null
    done < <(print_needs)
}

prefix='' only='' may_create='' action=apply
connection=()
while [[ $# -gt 0 ]]; do
    case $1 in
    --bootstrap-server | --command-config) connection+=("$1" "$2") && shift ;;
    --user) only=$2 && shift ;;
    --prefix) prefix=$2 && shift ;;
    --create) may_create=yes ;;
    --print) action=print_lines ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done
if [[ $action == apply && ${#connection[@]} -eq 0 ]]; then
    usage >&2
    exit 2
fi
"$action"
