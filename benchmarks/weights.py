"""nDCG@10 of `small` at other weights of its halves: on HumanEval, on Python's standard library, and on CoSQA.

docs/quality.md shows it. CoSQA is left out where it is not there (PGDUET_COSQA); its codes take a quarter of an hour to
embed, once: vectors are kept in --folder, as by `pgduet evaluate`.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pgduet.cli.evaluate import encode
from pgduet.training.data import Benchmark, Corpus, Query, read_codes, read_queries
from pgduet.training.evaluation import values_of
from pgduet.training.humaneval import read_humaneval

REPOSITORY = Path(__file__).resolve().parents[1]
COSQA = Path(os.environ.get("PGDUET_COSQA") or REPOSITORY.parent / "shared" / "data" / "cosqa")
SHARES = (0, 0.1, 0.15, 0.16, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)


def library() -> Benchmark:
    """Give the pairs of the standard library that a test of the duet asks."""
    sys.path.append(str(REPOSITORY / "tests"))
    from quality.test_retrieval import library_sample

    queries, codes = zip(*library_sample(), strict=True)
    asked = [Query(text, (number,), "") for number, text in enumerate(queries)]
    return Benchmark("standard library", asked, Corpus(list(codes), {number: number for number in range(len(codes))}))


def benchmarks() -> Iterator[tuple[str, Benchmark]]:
    """Yield a name for the file of vectors, and what is asked."""
    yield "humaneval", read_humaneval()
    yield "library", library()
    if (COSQA / "dev.jsonl").is_file():
        yield "cosqa", Benchmark("CoSQA", read_queries(COSQA / "dev.jsonl"), read_codes(COSQA / "codes.jsonl"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="keeps the vectors")
    options = parser.parse_args()
    weights = [(share, 1 - share) for share in SHARES]
    print("| |", " | ".join(map(str, SHARES)), "|")
    print("|---|" + "---:|" * len(SHARES))
    for name, benchmark in benchmarks():
        encoded = encode("small", None, benchmark.queries, benchmark.corpus, options.folder / f"weights-{name}.npz")
        values = values_of(*encoded.halves, benchmark.relevant, weights, encoded.tie)
        print(f"| {benchmark.source} |", " | ".join(f"{100 * one[:, 0].mean():.1f}" for one in values), "|", flush=True)


if __name__ == "__main__":
    main()
