#!/usr/bin/env bash
# Runs a command with a fresh Kafka, registry and PostgreSQL around it: with_stack.sh CMD...
# Inside another with_stack.sh the command shares the servers that run already. Logs: build/test-logs/stack-*.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [[ -n ${STACK_DIR:-} ]]; then
    exec "$@"
fi
mkdir -p build/test-logs
logs=$(mktemp -d "build/test-logs/stack-XXXXXX")
exec python3 tools/stack/stack.py run --fast --logs "$logs" -- "$@"
