"""What can go wrong with a duet, told so that a person can mend it."""

from pgduet.errors import PgduetError


class ManifestError(PgduetError):
    """A `duet.toml` does not say what it has to say."""


class StoreError(PgduetError):
    """A duet is absent from the model store, damaged there, or could not be fetched."""


class WeightsError(PgduetError):
    """A checkpoint does not fit its architecture weight for weight, or its tokenizer cannot be used."""


class SelfTestError(PgduetError):
    """A loaded duet does not give the vectors it is known by."""
