"""How fast the model is on this machine now."""

# Assumed until a batch was timed, in tokens per second.
FIRST_SPEED = 2000.0
# How much of the newest full batch goes into the mean.
_NEWEST = 0.3


class Speed:
    """Tokens per second of full batches. The model thread notes, anybody reads.

    What a lone text takes says nothing about a batch, which takes hardly longer: judged by it, a queue of such texts
    would look as if it took many times what it does.
    """

    def __init__(self, batch_tokens: int) -> None:
        self.value = FIRST_SPEED
        self.is_measured = False
        self.batch_tokens = batch_tokens

    def note(self, tokens: int, seconds: float) -> None:
        """Take one pass into account; one that is not half full only shows what is possible at least."""
        rate = tokens / seconds
        if tokens * 2 >= self.batch_tokens:
            self.value = self.value + _NEWEST * (rate - self.value) if self.is_measured else rate
            self.is_measured = True
        else:
            self.value = max(self.value, rate)
