"""Stands in for the `pgduet` command that a trainer runs: no model, only a log of steps and the end that is asked for.

PGDUET_STAND_IN says what `finetune` does: a number (exit with it), `die` (SIGKILL to itself), `hang`, or `stubborn`
(hang and take no notice of SIGTERM). A word before a colon names the command that it is for: `mine:3`.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    command, *words = sys.argv[1:]
    store = Path(os.environ["PGDUET_MODELS_DIR"])
    with (store / "calls").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([command, *words]) + "\n")
    what, _, how = os.environ["PGDUET_STAND_IN"].rpartition(":")
    if command != (what or "finetune"):
        return
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if command == "finetune":
        folder = store.parent / "finetune" / words[0]
        line = {"loss": 0.25, "norm": 1.5, "rate": 1e-5, "active": 1.0, "similarity": 0.1, "seconds": 0.01}
        steps = [{"step": 1, **line, "score": 0.5}, {"step": 2, **line, "score": None}]
        (folder / "steps.jsonl").write_text("".join(json.dumps(one) + "\n" for one in steps) + '{"step": 3, "lo')
    (store / "pid").write_text(str(os.getpid()))
    if how in ("hang", "stubborn"):
        time.sleep(600)
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    print("a line before", file=sys.stderr)
    print(f"error: it ended with {how}\nhint: do something about it", file=sys.stderr)
    sys.exit(int(how))


if __name__ == "__main__":
    main()
