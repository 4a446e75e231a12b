#!/usr/bin/env bash
# What qodo-jina's encoders do on this machine's CUDA card: one call, also on a machine that has nothing of pgduet yet.
# Runs the tests of packing and of devices there, then writes benchmarks/results/gpu_serving.json: tokens a second at
# four lengths beside plain transformers and the matrix products alone, a query's time, memory, the card's name.
#
#     benchmarks/gpu.sh [--lengths 128 512] [--rounds 5]
set -euo pipefail
cd "$(dirname "$0")/.."

if ! .venv/bin/python -c 'import transformers, pytest' 2>/dev/null; then
    echo "installing the Python environment .venv (torch for CUDA is large: minutes)"
    "${PYTHON:-python3}" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
fi
.venv/bin/python -m pytest -q tests/unit/test_encoding_packed.py
exec .venv/bin/python benchmarks/gpu_serving.py "$@"
