"""Why a run ends early; each reason has its own status in the history and its own exit code of the command."""

from pgduet.errors import PgduetError


class TuningError(PgduetError):
    """Fine-tuning cannot go on."""

    status = "failed"
    exit_code = 1


class TooLittleDataError(TuningError):
    """There are fewer triplets than one batch, or than was asked for."""

    status = "too little data"
    exit_code = 3


class NotFiniteError(TuningError):
    """The loss or the gradient is not a finite number."""

    status = "not finite"
    exit_code = 4


class CollapseError(TuningError):
    """All texts get nearly the same vector."""

    status = "collapsed"
    exit_code = 5


class NothingToLearnError(TuningError):
    """No triplet violates the margin."""

    status = "nothing to learn"
    exit_code = 6
