#!/usr/bin/env bash
# Brings the compose stack up under a name of its own, inserts, searches and takes it down with its volumes; the images
# are built by deploy/containers/build.sh. Prints what took how long; exits with 1 and the logs' ends where it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
    printf 'compose_check: error: %s\ncompose_check: hint: %s\n' "$1" "$2" >&2
    exit 1
}
command -v docker >/dev/null || die "there is no docker command" "install docker.io, or another Docker engine"
docker info >/dev/null 2>&1 || die "no Docker engine answers" "start dockerd, and see that this user may call it"
docker compose version >/dev/null 2>&1 || die "docker has no compose plugin of version 2" \
    "install docker-compose of Debian 13 or later, or docker-compose-plugin; Debian 12 has the old one alone"
for image in pgduet-database pgduet-sidecar; do
    docker image inspect "$image" >/dev/null 2>&1 || die "there is no image $image" "run deploy/containers/build.sh"
done

export PGDUET_PORT=${PGDUET_PORT:-0} POSTGRES_PASSWORD=${POSTGRES_PASSWORD:-$(head -c 18 /dev/urandom | base64)}
compose() { docker compose -p "pgduet-check-$$" -f deploy/containers/compose.yaml "$@"; }
psql() { compose exec -T database psql -v ON_ERROR_STOP=1 -At -d pgduet "$@"; }
clean() {
    local status=$?
    [ $status -eq 0 ] || compose logs --tail 20 >&2
    compose down --volumes --timeout 30 >/dev/null 2>&1
    [ $status -ne 0 ] || printf 'compose_check: down after %s s\n' $SECONDS
}
trap clean EXIT

compose up --detach --wait --wait-timeout 300 >/dev/null 2>&1 || die "the stack did not become healthy" "see above"
printf 'compose_check: healthy after %s s\n' $SECONDS

psql <<'SQL' >/dev/null
INSERT INTO pgduet.code_chunks (path, symbol, content) VALUES
  ('http.py', 'call_again', 'def call_again(send): ...'),
  ('cart.py', 'total', 'def total(cart): return sum(line.price for line in cart)');
SQL
found=$(psql -c "SELECT symbol FROM pgduet.similar_code('retry a failed request', k => 1)")
[ "$found" = call_again ] || die "the search found '$found', not call_again" "see above"
printf 'compose_check: inserted and found after %s s\n' $SECONDS

# What the worker does alone: rows whose vectors nobody made in their statement.
compose exec -T database pgduet db set trigger_mode queue --dsn dbname=pgduet >/dev/null
psql -c "INSERT INTO pgduet.code_chunks (path, symbol, content) VALUES ('a.py', 'area', 'def area(w, h): return w * h')" >/dev/null
for _ in $(seq 60); do
    waiting=$(psql -c "SELECT coalesce(sum(pending), 0) FROM pgduet.coverage")
    [ "$waiting" != 0 ] || break
    sleep 1
done
[ "$waiting" = 0 ] || die "the worker left $waiting chunks without a vector for a minute" "see above"
printf 'compose_check: embedded by the worker after %s s\n' $SECONDS
