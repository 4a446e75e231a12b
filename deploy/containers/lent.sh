#!/bin/sh
# Runs a command of a build with what the builder's machine lends for that step alone, and no layer keeps: a bundle of
# certificate authorities and pip's configuration, both build secrets.
set -eu
[ ! -s /run/secrets/ca_bundle ] || export PIP_CERT=/run/secrets/ca_bundle
[ ! -s /run/secrets/pip_conf ] || export PIP_CONFIG_FILE=/run/secrets/pip_conf
exec "$@"
