#!/usr/bin/env bash
# Runs the repository's own tests inside the image pgduet-test: against its PostgreSQL, PL/Python and pgvector, on
# clusters that the tests make themselves. Arguments go to pytest; without any, the tests of database and system run.
#
# The model store of this machine is lent (PGDUET_MODELS_DIR; `make setup` fills it), and the CA bundle that pip needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

docker image inspect pgduet-test >/dev/null 2>&1 || {
    echo "test: error: there is no image pgduet-test" >&2
    echo "test: hint: run deploy/containers/build.sh test" >&2
    exit 1
}
models=${PGDUET_MODELS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pgduet/models}
bundle=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}
lent=(-v "$models:/models:ro" -e PGDUET_MODELS_DIR=/models)
[ ! -s "$bundle" ] || lent+=(-v "$bundle:/lent/ca.pem:ro" -e PIP_CERT=/lent/ca.pem)
# Two at a time, then those that measure time alone, as `make test` has them.
runs=(
    '-n 2 --dist loadfile -m "not slow and not alone" tests/db tests/backend tests/cases tests/system'
    '-m "alone and not slow" tests/db tests/backend tests/cases tests/system'
)
[ $# -eq 0 ] || runs=("$(printf '%q ' "$@")")

# What git knows goes in as it stands, into a repository of its own: tests ask git for the files.
git ls-files -z | tar --null --files-from - --create | docker run --rm --interactive --init "${lent[@]}" pgduet-test \
    bash -ec '
        umask 022
        mkdir /repository
        cd /repository
        tar --extract --no-same-owner
        git -c init.defaultBranch=main init -q .
        git add -A
        /venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
        ln -s /venv .venv
        export PATH="/venv/bin:$PATH" OMP_WAIT_POLICY=passive
        for run; do eval "/venv/bin/python -m pytest $run"; done' bash "${runs[@]}"
