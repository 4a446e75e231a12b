"""How fast the model is on this machine now."""

# Assumed until the first batch was timed, in tokens per second.
FIRST_SPEED = 2000.0


class Speed:
    """Tokens per second as measured, full batches above all: a lone text tells little about what a batch takes.

    The model thread notes, anybody reads.
    """

    def __init__(self, batch_tokens: int) -> None:
        self.value = FIRST_SPEED
        self.batch_tokens = batch_tokens
        self._weight = 0.0

    @property
    def is_measured(self) -> bool:
        """Whether `value` comes from a batch at all."""
        return self._weight > 0

    def note(self, tokens: int, seconds: float) -> None:
        """Take one pass into account: a full one counts a fifth in the long run."""
        share = min(tokens / self.batch_tokens, 1.0)
        self.value = (self.value * self._weight + tokens / seconds * share) / (self._weight + share)
        self._weight = min(self._weight + share, 4.0)
