"""Work for the lanes that nobody tokenised."""

from types import SimpleNamespace

from pgduet.serving.work import Job, Work


def job(*lengths: int) -> Job:
    """Give a request whose texts have so many tokens, all of the code half."""
    ids = [SimpleNamespace(code_ids=(1,) * length, text_ids=()) for length in lengths]
    return Job([Work(one) for one in ids])  # type: ignore[arg-type]
