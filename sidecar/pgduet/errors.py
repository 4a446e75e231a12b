"""The one base of the errors that pgduet raises outside the database server."""


class PgduetError(Exception):
    """Something went wrong that a person can mend.

    The message says what happened; `hint` says what to do. Commands print both and exit with 1.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
