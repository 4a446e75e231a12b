#!/usr/bin/env bash
# Makes the image debian:SUITE-slim from the distribution's own packages, where no image registry can be reached. As root:
#
#   deploy/containers/base_image.sh trixie
#
# Needs debootstrap, a Debian keyring, and a Docker engine. MIRROR names the mirror; without it, the first of apt's own.
set -euo pipefail

die() {
    printf 'base_image: error: %s\nbase_image: hint: %s\n' "$1" "$2" >&2
    exit 1
}
suite=${1:?name a suite, such as trixie}
[ "$(id -u)" -eq 0 ] || die "debootstrap needs root" "run it with sudo"
command -v debootstrap >/dev/null || die "debootstrap is missing" "apt-get install debootstrap"
docker info >/dev/null 2>&1 || die "no Docker engine answers" "start dockerd"
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CODENAME)' | awk '$2 == "Debian" && $1 !~ /security/ {print $1; exit}')}
[ -n "$mirror" ] || die "apt has no mirror of Debian" "name one: MIRROR=URL $0 $suite"
security=${SECURITY_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | grep -m 1 security || true)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase "$suite" "$work/root" "$mirror" >"$work/log" || {
    tail -n 20 "$work/log" >&2
    die "debootstrap failed" "does $mirror have $suite?"
}
[ -z "$security" ] || echo "deb $security $suite-security main" >>"$work/root/etc/apt/sources.list"
rm -rf "$work/root"/var/cache/apt/archives/*.deb "$work/root"/var/lib/apt/lists/*
tar -C "$work/root" -c . | docker import -c 'CMD ["bash"]' - "debian:$suite-slim"
