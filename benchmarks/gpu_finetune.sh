#!/usr/bin/env bash
# What it costs to fine-tune a model of 1.5 billion weights on this machine's CUDA card: one call, also on a machine that
# has nothing of pgduet yet. Writes benchmarks/results/gpu_finetune.json: the card, peak memory, seconds for 1,000
# triplets. The weights are random, of Qodo-Embed-1-1.5B's architecture; 3 GB of them stay in ~/.cache/pgduet.
#
#     benchmarks/gpu_finetune.sh [--batch 64] [--steps 5] [--max-tokens 256]
#
# `--device cpu` tries the same on the processor, in float32, and writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! .venv/bin/python -c 'import peft' 2>/dev/null; then
    echo "installing the Python environment .venv (torch for CUDA is large: minutes)"
    "${PYTHON:-python3}" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
fi
exec .venv/bin/python benchmarks/finetune_cost.py --qodo --device cuda --batch 64 --steps 5 --max-tokens 256 "$@"
