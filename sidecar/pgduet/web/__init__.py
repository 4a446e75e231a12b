"""The search page: what `pgduet ui` serves. It reads the database and nothing else."""

from pathlib import Path

FOLDER = Path(__file__).parent
