"""What can go wrong with evaluation data, told so that a person can mend it."""

from pgduet.errors import PgduetError


class DataError(PgduetError):
    """A file of queries, codes or vectors cannot be used."""


class MissingError(PgduetError):
    """A package is not installed that only some ways to judge need."""


class CalibrationError(PgduetError):
    """The sample says nothing about how the halves should be weighted."""
