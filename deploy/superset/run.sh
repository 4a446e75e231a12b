#!/usr/bin/env bash
# Shows pgduet in Apache Superset: makes an environment of its own, imports the dashboard, and serves it on this machine
# only until Ctrl-C. `deploy/superset/run.sh --help` lists the options.
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<'HELP'
usage: deploy/superset/run.sh [options]

Shows the views of pgduet as a dashboard in Apache Superset. The first time it installs Superset (about 150 packages,
1 GB) into an environment of its own and fills its tables (minutes); afterwards it starts in less than a minute. Ctrl-C
ends it and leaves no process behind.

The database is the one that PG* variables name, else that of `make demo`. The login pgduet_superset is made there, a
member of pgduet_reader alone; that takes a role that may create others.

  --dsn DSN         use this connection as it is, of a login that has the role pgduet_reader and no other
  --port N          listen on 127.0.0.1:N (8088; 0: a free one)
  --environment D   where Superset is installed (~/.cache/pgduet/superset)
  --home D          where its state is kept: its own tables, key and passwords (D/home in the environment)
  --prepare         make everything ready and do not serve
  --fresh           forget the state first: what was changed in Superset is lost
  --remove          drop the login pgduet_superset and the state; the environment stays
  --help            print this
HELP
}
say() { printf 'superset: %s\n' "$*"; }
die() {
    printf 'superset: error: %s\nsuperset: hint: %s\n' "$1" "$2" >&2
    exit "${3:-1}"
}

environment=${XDG_CACHE_HOME:-$HOME/.cache}/pgduet/superset
home='' dsn='' port=8088 prepare_only=no fresh=no remove=no
while [ $# -gt 0 ]; do
    case $1 in
        --dsn | --port | --environment | --home)
            [ $# -gt 1 ] || die "$1 needs a value" "see --help" 2
            declare "${1#--}=$2"
            shift
            ;;
        --prepare) prepare_only=yes ;;
        --fresh) fresh=yes ;;
        --remove) remove=yes ;;
        --help | -h)
            usage
            exit
            ;;
        *) die "there is no option $1" "see --help" 2 ;;
    esac
    shift
done
case $port in *[!0-9]* | '') die "--port takes a number, not '$port'" "leave it out for 8088" 2 ;; esac
home=${home:-$environment/home}

# The demo's database, where nothing names another.
if [ -z "$dsn${PGHOST:-}${PGSERVICE:-}${PGDATABASE:-}${PGUSER:-}" ] && [ -e "$here/../../.pgduet/env" ]; then
    . "$here/../../.pgduet/env"
fi

install_superset() {
    local stamp python
    stamp=$(sha256sum <"$here/requirements.txt")
    [ ! -e "$environment/pgduet.stamp" ] || [ "$(cat "$environment/pgduet.stamp")" != "$stamp" ] || return 0
    # Superset 6.1 runs on neither older nor newer ones; the pins were tried on 3.11.
    for python in python3.11 python3.12 python3; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && break
        python=''
    done
    [ -n "$python" ] || die "Superset needs Python 3.11 or 3.12, and neither is here" "install python3.12-venv"
    say "installing Superset into $environment (minutes the first time)"
    mkdir -p "$environment"
    "$python" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"
    printf '%s\n' "$stamp" >"$environment/pgduet.stamp"
}

run_python() {
    SUPERSET_HOME=$home SUPERSET_CONFIG_PATH=$here/superset_config.py PYTHONDONTWRITEBYTECODE=1 \
        PYTHONWARNINGS=ignore "$environment/bin/python" "$@"
}

if [ $remove = yes ]; then
    [ -d "$home" ] || die "there is no state in $home" "name its folder with --home"
    # With --dsn no login was made.
    [ ! -e "$home/database.password" ] || run_python "$here/prepare.py" --drop-login
    rm -rf "$home"
    say "the login and $home are gone; $environment stays (rm -r it where you need the room)"
    exit
fi
install_superset
mkdir -p "$home"
home=$(cd "$home" && pwd)
[ $fresh = no ] || rm -f "$home/superset.db"
say "preparing the dashboard (a minute the first time)"
run_python "$here/prepare.py" ${dsn:+--dsn "$dsn"} >"$home/prepare.log" 2>&1 || {
    sed -n '/^superset: error/,$p' "$home/prepare.log" | grep . >&2 && exit 1
    tail -n 20 "$home/prepare.log" >&2
    die "Superset could not be prepared" "the whole log is in $home/prepare.log"
}
say "user admin, password in $home/admin.password"
[ $prepare_only = no ] || exit 0
say "open /superset/dashboard/pgduet/ at the address below; end with Ctrl-C"
# One process with threads: the sqlite file has one writer. It takes this script's place, so that Ctrl-C ends it.
export SUPERSET_HOME=$home SUPERSET_CONFIG_PATH=$here/superset_config.py
exec "$environment/bin/gunicorn" --bind "127.0.0.1:$port" --workers 1 --worker-class gthread --threads 8 \
    --timeout 120 --no-control-socket "superset.app:create_app()"
