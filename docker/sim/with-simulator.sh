#!/bin/sh
# with-simulator.sh PROGRAM [ARGUMENT]...: runs the program, against the simulator if there is one.
#
# Compose cannot change a service's environment by profile. So the simulator's image leaves its settings in the volume
# `exchange`, which ingestors mount too: it is filled when the simulator's container is created, before any ingestor
# starts, and lasts as long as the topics and tables that hold simulated trades: until `docker compose down -v`.
set -eu

settings=/exchange/simulator.settings
if [ -e "$settings" ]; then
    echo "the exchange is the simulator; for OKX itself begin with empty volumes: docker compose down -v" >&2
    unset OKX_API_KEY_FILE OKX_API_SECRET_FILE OKX_API_PASSPHRASE_FILE
    set -a
    # shellcheck source=/dev/null
    . "$settings"
    set +a
fi
exec "$@"
