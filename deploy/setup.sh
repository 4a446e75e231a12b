#!/usr/bin/env bash
# Makes a bare Debian or Ubuntu machine ready to run and test pgduet; `make setup` calls it. Running it again is quick.
#
# It installs what is missing (PostgreSQL 15 or later, PL/Python, pgvector, Python's venv module; for the tests pgbouncer
# and a Chromium without a window), makes the Python environment .venv, the small one for PostgreSQL's own Python, and
# fetches the weights of the model `small`.
# `deploy/setup.sh packages` stops after what needs root, `deploy/setup.sh server` after PostgreSQL and pgvector. PIP_*
# and proxy variables pass through. PG_CONFIG names a server that is none of the distribution's.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."

oldest_postgres=15
oldest_pgvector=0.8.0  # the oldest that works
safe_pgvector=0.8.6    # the oldest to install: memory-safety bugs were fixed in 0.8.2 and 0.8.6
pgvector_source=pool/main/p/pgvector/pgvector_0.8.6.orig.tar.gz
pgvector_sha256=25c9b78cfdaa43c66788d7490246ac24e4fe1c86f19c4b60c089b723f84a4a0d

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'setup: hint: %s\n' "$2" >&2
    exit 1
}
# Runs a command and shows the end of what it printed only where it fails; sudo asks for its password on the terminal.
quietly() {
    local log
    log=$(mktemp)
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "this failed: $*"
    }
    rm -f "$log"
}
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# --- packages -------------------------------------------------------------------------------------------------------

# Sets `root` to what a command that needs root is prefixed with. The argument says what is wanted.
root=()
become_root() {
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; } ||
            die "root is needed to install $1" "as root run 'deploy/setup.sh packages', then 'make setup' again"
        root=(sudo)
    fi
}

lists_are_fresh=no
refresh_lists() {
    [ $lists_are_fresh = no ] || return 0
    command -v apt-get >/dev/null || die "no apt-get here, and this is missing: $1" \
        "install PostgreSQL $oldest_postgres or later with PL/Python 3, pgvector, Python 3.11 or later with venv, by hand"
    become_root "$1"
    say "reading the package lists, for $1"
    quietly "${root[@]}" apt-get -o Acquire::Retries=3 -qq update
    lists_are_fresh=yes
}

install_packages() {
    [ $# -gt 0 ] || return 0
    refresh_lists "$*"
    say "installing $*"
    quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        -qq install -y --no-install-recommends "$@"
}

candidate() { apt-cache policy "$1" | sed -n 's/^  Candidate: \([0-9:]*[^ ]*\)$/\1/p' | sed 's/^(none)$//'; }

# --- Python ---------------------------------------------------------------------------------------------------------

find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

prepare_python() {
    python=$(find_python)
    if [ -z "$python" ]; then
        install_packages python3 python3-venv
        python=$(find_python)
        [ -n "$python" ] || die "this distribution's Python is older than 3.11" "install python3.11 and python3.11-venv"
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages "$(basename "$(readlink -f "$python")")-venv"
}

# --- PostgreSQL, PL/Python, pgvector --------------------------------------------------------------------------------

find_postgres() {
    local folder
    if [ -n "${PG_CONFIG:-}" ]; then
        dirname "$(command -v "$PG_CONFIG")" | grep . || die "PG_CONFIG names $PG_CONFIG, which is not there"
        return
    fi
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
        [ -x "$folder/postgres" ] && at_least "$(basename "$(dirname "$folder")")" $oldest_postgres || continue
        echo "$folder"
        return
    done
}

distribution_major() {
    apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-\([0-9]\+\)$/\1/p' | sort -rn | head -n 1
}

prepare_postgres() {
    bin=$(find_postgres)
    if [ -z "$bin" ]; then
        refresh_lists "PostgreSQL"
        major=$(distribution_major)
        at_least "${major:-0}" $oldest_postgres || die "this distribution's PostgreSQL is older than $oldest_postgres" \
            "add the PostgreSQL project's own package source, install postgresql-17, and run this again"
        install_packages "postgresql-$major" "postgresql-plpython3-$major"
        bin=$(find_postgres)
    fi
    major=$("$bin/postgres" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    libraries=$(if [ -e "$bin/../lib/plpgsql.so" ]; then echo "$bin/../lib"; else "$bin/pg_config" --pkglibdir; fi)
    extensions=$(if [ -d "/usr/share/postgresql/$major/extension" ]; then echo "/usr/share/postgresql/$major/extension"
        else echo "$("$bin/pg_config" --sharedir)/extension"; fi)
    [ -e "$libraries/plpython3.so" ] || install_packages "postgresql-plpython3-$major"
}

installed_pgvector() {
    [ ! -e "$extensions/vector.control" ] || sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$extensions/vector.control"
}

prepare_pgvector() {
    local version package=postgresql-$major-pgvector
    version=$(installed_pgvector)
    if [ -n "$version" ] && at_least "$version" $oldest_pgvector; then
        at_least "$version" $safe_pgvector || say "pgvector $version has known memory-safety bugs: update to 0.8.7"
        return 0
    fi
    refresh_lists "pgvector"
    if at_least "$(candidate "$package" | grep . || echo 0)" $safe_pgvector; then
        install_packages "$package"
    else
        build_pgvector
    fi
}

build_pgvector() {
    local missing=()
    [ -e "$("$bin/pg_config" --includedir-server)/postgres.h" ] || missing+=("postgresql-server-dev-$major")
    command -v gcc >/dev/null || missing+=(gcc libc6-dev)
    command -v make >/dev/null || missing+=(make)
    install_packages ${missing[@]+"${missing[@]}"}
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    become_root pgvector
    fetch_pgvector "$work/source.tar.gz"
    tar -xzf "$work/source.tar.gz" -C "$work" --strip-components=1
    say "building pgvector (the distribution has none that is new enough)"
    # Without OPTFLAGS="" it would be built for this machine's processor alone; without LLVM it needs no clang.
    quietly make -s -C "$work" OPTFLAGS="" with_llvm=no PG_CONFIG="$bin/pg_config"
    quietly "${root[@]}" make -s -C "$work" install with_llvm=no PG_CONFIG="$bin/pg_config"
}

# Apt's own downloader honours apt's proxy and mirror settings and checks the hash.
fetch_pgvector() {
    local source
    for source in $(apt-get indextargets --format '$(REPO_URI)' | sort -u); do
        if /usr/lib/apt/apt-helper -qq download-file "${source%/}/$pgvector_source" "$1" \
            "SHA256:$pgvector_sha256" 2>/dev/null; then
            return 0
        fi
    done
    die "none of apt's sources has $pgvector_source" \
        "install pgvector $safe_pgvector or later for PostgreSQL $major by hand, then 'make setup' again"
}

# The tests put a pooler between worker and server and start their own: the service that the package starts, ends.
prepare_pgbouncer() {
    [ ! -x /usr/sbin/pgbouncer ] && ! command -v pgbouncer >/dev/null || return 0
    install_packages pgbouncer
    if [ -d /run/systemd/system ]; then
        quietly "${root[@]}" systemctl disable --now pgbouncer
    elif [ -x /etc/init.d/pgbouncer ]; then
        quietly "${root[@]}" /etc/init.d/pgbouncer stop
    fi
}

# The tests look at the search page in a real browser. Ubuntu has it as a snap only, which is no package.
prepare_chromium() {
    local name
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        ! command -v "$name" >/dev/null || return 0
    done
    refresh_lists "Chromium"
    for name in chromium-headless-shell chromium; do
        if [ -n "$(candidate "$name")" ]; then
            install_packages "$name"
            return 0
        fi
    done
    say "no package of Chromium here: install one, or the tests of the search page fail"
}

# The pages of docs/ are tried as they stand, and these are on them.
prepare_tools() {
    local name missing=()
    for name in curl jq openssl; do
        command -v "$name" >/dev/null || missing+=("$name")
    done
    install_packages ${missing[@]+"${missing[@]}"}
}

# --- environments and the model -------------------------------------------------------------------------------------

prepare_environment() {
    local stamp
    stamp=$(cat pyproject.toml constraints.txt | sha256sum | cut -d ' ' -f 1)
    .venv/bin/python -c '' 2>/dev/null || rm -rf .venv
    if [ -e .venv/pgduet.stamp ] && [ "$(cat .venv/pgduet.stamp)" = "$stamp" ]; then
        say "Python environment .venv is up to date"
        return 0
    fi
    say "installing the Python environment .venv (torch is large: minutes the first time)"
    [ -e .venv ] || "$python" -m venv .venv
    # torch comes first and alone: otherwise a newer one might be drawn in by what depends on it.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
    echo "$stamp" >.venv/pgduet.stamp
}

prepare_python
say "Python: $("$python" --version | cut -d ' ' -f 2) ($python)"
prepare_postgres
say "PostgreSQL: $major ($bin) with PL/Python"
prepare_pgvector
[ "${1:-}" != server ] || exit 0
prepare_pgbouncer
prepare_chromium
prepare_tools
say "pgvector: $(installed_pgvector)"
[ "${1:-}" != packages ] || exit 0
prepare_environment
say "server's Python: $(.venv/bin/python -m pgduet.local.server_python .)"
.venv/bin/pgduet models pull small
say "done; 'make demo' shows it at work, 'make test' checks it"
