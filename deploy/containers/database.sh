#!/usr/bin/env bash
# Starts PostgreSQL with pgduet in a container: makes the cluster at the first start, brings the schema up to date at
# every start, and then becomes the server, which so gets the container's signals itself.
#
#   POSTGRES_DB               database that pgduet is installed in (pgduet)
#   POSTGRES_PASSWORD[_FILE]  password of the superuser over TCP, set at the first start; without one, nobody gets in by TCP
#   PGDUET_MODEL              duet of the first generation (small)
#   PGDUET_SIDECAR            address of the sidecar, or several (unix:/run/pgduet/sidecar.sock)
#   PGDUET_SETTINGS           further settings of `pgduet db set`, as KEY=VALUE separated by spaces
#
# Arguments after `postgres` go to the server, such as `-c shared_buffers=4GB`; any other command is run as it is.
set -euo pipefail
umask 077

if [ "${1:-}" != postgres ]; then
    exec "$@"
fi
shift

say() { printf 'pgduet-database: %s\n' "$*" >&2; }
die() {
    printf 'pgduet-database: error: %s\npgduet-database: hint: %s\n' "$1" "$2" >&2
    exit 1
}

database=${POSTGRES_DB:-pgduet}
sockets=/run/postgresql
# Nobody but this script reaches the server while the cluster is being set up.
private=$(mktemp -d)
running=

# --- what cannot work ends here, before anything is touched -------------------------------------------------------

[ "$(id -u)" -ne 0 ] || die "PostgreSQL refuses to run as root" "leave --user out, or name 999:999"
[ -z "${POSTGRES_PASSWORD:-}" ] || [ -z "${POSTGRES_PASSWORD_FILE:-}" ] ||
    die "both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set" "set one of them"
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    [ -r "$POSTGRES_PASSWORD_FILE" ] ||
        die "POSTGRES_PASSWORD_FILE names $POSTGRES_PASSWORD_FILE, which cannot be read" \
            "mount the file there, readable by uid $(id -u)"
    POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
fi
[ -w "$sockets" ] || die "$sockets cannot be written to" "mount a volume or a tmpfs there that uid $(id -u) owns"
for pair in ${PGDUET_SETTINGS:-}; do
    [[ $pair == ?*=* ]] || die "PGDUET_SETTINGS holds $pair" "write KEY=VALUE, separated by spaces"
done
for other in /var/lib/postgresql/*/main/PG_VERSION; do
    [ ! -e "$other" ] || [ "$other" = "$PGDATA/PG_VERSION" ] || [ -e "$PGDATA/PG_VERSION" ] ||
        die "the volume holds a cluster of PostgreSQL $(<"$other"), this image runs $PG_MAJOR" \
            "bring it over by pg_upgrade (docs/containers.md), or use an image of that version"
done

# --- a server of its own for the setting up ---------------------------------------------------------------------

start_private() {
    pg_ctl -D "$1" -w -t "${PGCTLTIMEOUT:-600}" -l "$private/log" -o "-c listen_addresses='' -k $private" start >/dev/null || {
        tail -n 20 "$private/log" >&2
        die "the server does not start on $1" "the lines above are its log's last"
    }
    running=$1
}
stop_private() {
    [ -z "$running" ] || pg_ctl -D "$running" -m fast -w stop >/dev/null
    running=
}
clean() {
    stop_private || true
    rm -rf "$private"
}
trap clean EXIT
trap 'exit 143' TERM INT

psql_private() { psql -q -v ON_ERROR_STOP=1 -h "$private" -U postgres "$@"; }

make_cluster() {
    local new=${PGDATA}.new
    say "making a cluster in $PGDATA"
    # What an interrupted start left is no cluster.
    rm -rf "$new"
    mkdir -p "$(dirname "$PGDATA")" 2>/dev/null ||
        die "$(dirname "$PGDATA") cannot be made" "mount a volume at /var/lib/postgresql that uid $(id -u) owns"
    # Local users are known by their operating system's account: postgres, and pgduet, whom the worker runs as.
    initdb -D "$new" -U postgres -E UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer \
        --auth-host=scram-sha-256 >"$private/initdb" || {
        cat "$private/initdb" >&2
        die "initdb failed" "the lines above say why"
    }
    start_private "$new"
    if [ -n "${POSTGRES_PASSWORD:-}" ]; then
        psql_private -d postgres -v password="$POSTGRES_PASSWORD" <<<"ALTER ROLE postgres PASSWORD :'password';"
    else
        say "no POSTGRES_PASSWORD: TCP lets nobody in until a role gets a password"
    fi
    bring_up_to_date
    stop_private
    mv "$new" "$PGDATA"
}

# Does its work at every start: a cluster that pg_upgrade or a backup left on the volume lacks the same things.
bring_up_to_date() {
    local pair
    psql_private -d postgres -v name="$database" <<'SQL'
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT 'CREATE ROLE pgduet LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgduet') \gexec
SQL
    export PGHOST=$private PGUSER=postgres PGDATABASE=$database
    pgduet db migrate --model "${PGDUET_MODEL:-small}" >&2
    pgduet db set sidecar_address "${PGDUET_SIDECAR:-unix:/run/pgduet/sidecar.sock}" >/dev/null
    for pair in ${PGDUET_SETTINGS:-}; do
        pgduet db set "${pair%%=*}" "${pair#*=}" >&2
    done
    # The worker looks after the index too, and the trainer runs what was asked for.
    psql_private -d "$database" <<<'GRANT pgduet_worker, pgduet_owner, pgduet_admin TO pgduet;'
    unset PGHOST PGUSER PGDATABASE
}

if [ -e "$PGDATA/PG_VERSION" ]; then
    start_private "$PGDATA"
    bring_up_to_date
    stop_private
else
    make_cluster
fi
trap - EXIT
clean
unset POSTGRES_PASSWORD
grep -qx 'host all all all scram-sha-256' "$PGDATA/pg_hba.conf" ||
    printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
exec postgres -D "$PGDATA" -c "listen_addresses=*" -c "unix_socket_directories=$sockets" \
    -c unix_socket_permissions=0770 "$@"
