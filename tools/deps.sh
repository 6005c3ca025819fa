#!/usr/bin/env bash
# Installs what is missing and nothing else: deps.sh [build|run|test|fuzz]... (default: the first three)
#   build  compiler and libraries            by apt
#   run    Kafka, registry, PostgreSQL       by apt and Maven, jars into the user's cache
#   test   test, lint and analysis tools     by apt and pip, Python packages into .venv
#   fuzz   clang and its libFuzzer           by apt
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/currency-trends

# package, or package:command where any provider of the command will do
build_packages=(gcc:gcc make:make pkgconf:pkg-config librdkafka-dev libwebsockets-dev libcurl4-openssl-dev
    libjansson-dev libavro-dev libpq-dev libssl-dev zlib1g-dev libc6-dev)
run_packages=(postgresql:/usr/lib/postgresql/*/bin/initdb postgresql-client:psql default-jre-headless:java maven:mvn
    python3:python3 util-linux:setpriv ca-certificates)
test_packages=(libcmocka-dev clang:clang clang-format:clang-format clang-tidy:clang-tidy cppcheck:cppcheck
    shellcheck:shellcheck valgrind:valgrind python3-venv openssl:openssl procps:pgrep
    iproute2:ip iptables:iptables nginx:/usr/sbin/nginx)

fuzz_packages=(clang:clang "libclang-rt-dev:/usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer-*.a" python3:python3)

say() { printf 'deps: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

content_hash() { sha256sum "$1" | cut -c1-12; }

# Prints the packages among the arguments that are not there.
missing_packages() {
    local entry package installed
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p')
    for entry in "$@"; do
        package=${entry%%:*}
        if [[ $entry == *:* ]] && provides "${entry#*:}"; then
            continue
        fi
        grep -qx -- "$package" <<<"$installed" || echo "$package"
    done
}

# A command on PATH, or a pattern of absolute paths.
provides() {
    if [[ $1 == /* ]]; then
        compgen -G "$1" >/dev/null
    else
        command -v "$1" >/dev/null
    fi
}

install_packages() {
    command -v dpkg-query >/dev/null || die "this is not Debian; please install by hand: ${*%%:*}"
    local missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -eq 0 ]] && return
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null || die "as root, please: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get -qq update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# tools/stack/servers.py looks for the jars under the same name.
install_jars() {
    local target fresh
    target=$cache/stack-$(content_hash tools/stack/pom.xml)
    [[ -d $target/kafka ]] && return
    say "fetching Kafka and the schema registry into $target"
    mkdir -p "$cache"
    fresh=$(mktemp -d "$cache/fetching-XXXXXX")
    # shellcheck disable=SC2064  # the value of now is meant
    trap "rm -rf '$fresh'" EXIT
    mvn -q -B -Dstyle.color=never -f tools/stack/pom.xml -Dstack.directory="$fresh" dependency:copy-dependencies dependency:unpack
    rm -rf "$target"
    mv -T "$fresh" "$target"
}

install_python_packages() {
    local stamp
    stamp=.venv/installed-$(content_hash tests/requirements.txt)
    [[ -e $stamp ]] && .venv/bin/python -c '' 2>/dev/null && return
    say "installing the tests' Python packages into .venv"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt
    touch "$stamp"
}

main() {
    local group packages=()
    [[ $# -gt 0 ]] || set -- build run test
    for group in "$@"; do
        case $group in
            build) packages+=("${build_packages[@]}") ;;
            run) packages+=("${run_packages[@]}") ;;
            test) packages+=("${test_packages[@]}") ;;
            fuzz) packages+=("${fuzz_packages[@]}") ;;
            *) die "unknown group '$group' (build, run, test, fuzz)" ;;
        esac
    done
    install_packages "${packages[@]}"
    if [[ " $* " == *" run "* ]]; then
        install_jars
    fi
    if [[ " $* " == *" test "* ]]; then
        install_python_packages
    fi
}

main "$@"
