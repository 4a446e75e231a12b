#!/usr/bin/env bash
# Builds the images pgduet-database and pgduet-sidecar; `deploy/containers/build.sh test` also the one that runs the
# tests. Needs a Docker engine with BuildKit.
#
#   DATABASE_BASE, SIDECAR_BASE  images to start from (debian:trixie-slim)
#   ACCELERATOR                  cpu or cuda: the kind of PyTorch (cpu)
#   MODELS                       duets to put into the sidecar's image (small)
#   TEST_PYTHON, TEST_PYTHON_SUITE  Python of the tests, and the Debian suite to take it from (python3, the image's own)
#
# pip's configuration of this machine and its CA bundle (PIP_CONFIG_FILE, PIP_CERT) are lent to the build as secrets;
# wheels of PyTorch in a folder that PIP_FIND_LINKS names are offered to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() {
    printf 'build: error: %s\nbuild: hint: %s\n' "$1" "$2" >&2
    exit 1
}
command -v docker >/dev/null || die "there is no docker command" "install docker.io, or another Docker engine"
docker info >/dev/null 2>&1 || die "no Docker engine answers" "start dockerd, and see that this user may call it"
docker buildx version >/dev/null 2>&1 || [[ $(docker --version) == *" 20.10."* ]] ||
    die "docker's buildx plugin is missing" "install docker-buildx"

export DOCKER_BUILDKIT=1
secrets=()
bundle=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}
[ ! -s "$bundle" ] || secrets+=(--secret "id=ca_bundle,src=$bundle")
[ ! -s "${PIP_CONFIG_FILE:-}" ] || secrets+=(--secret "id=pip_conf,src=$PIP_CONFIG_FILE")
for folder in ${PIP_FIND_LINKS:-}; do
    [ ! -d "$folder" ] || find "$folder" -maxdepth 1 -name 'torch-*.whl' -exec cp -u {} deploy/containers/wheels/ \;
done

build() { docker build ${secrets[@]+"${secrets[@]}"} "$@" .; }

[ "${1:-}" = sidecar ] || build -f deploy/containers/database.Dockerfile --target database -t pgduet-database \
    --build-arg "BASE=${DATABASE_BASE:-debian:trixie-slim}"
[ "${1:-}" = database ] || [ "${1:-}" = test ] || build -f deploy/containers/sidecar.Dockerfile -t pgduet-sidecar \
    --build-arg "BASE=${SIDECAR_BASE:-debian:trixie-slim}" --build-arg "ACCELERATOR=${ACCELERATOR:-cpu}" \
    --build-arg "MODELS=${MODELS:-small}"
[ "${1:-}" != test ] || build -f deploy/containers/database.Dockerfile --target test -t pgduet-test \
    --build-arg "BASE=${DATABASE_BASE:-debian:trixie-slim}" \
    --build-arg "PYTHON=${TEST_PYTHON:-python3}" --build-arg "PYTHON_SUITE=${TEST_PYTHON_SUITE:-}"
