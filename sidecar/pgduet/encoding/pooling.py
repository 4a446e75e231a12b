"""From the states of a text's tokens to one vector."""

import torch


def pool(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """Pool states [n, t, width] of the tokens that `mask` [n, t] marks with 1; the result [n, width] is float32.

    `mean` averages the marked tokens, `last` takes the last and `cls` the first of them, on whichever side the padding
    stands. Never told by the id: the padding of some tokenizers is a token that texts may end in.
    """
    if pooling == "mean":
        # A masked state may be anything; multiplied by zero, NaN would stay.
        kept = states.float().masked_fill(mask.unsqueeze(-1) == 0, 0.0)
        return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True)
    if pooling == "last":
        at = mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)
    elif pooling == "cls":
        at = mask.argmax(dim=1)
    else:
        raise ValueError(f"no pooling is called {pooling!r}")
    return states[torch.arange(len(states), device=states.device), at].float()
