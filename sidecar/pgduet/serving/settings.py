"""Settings of the sidecar: PGDUET_* in the environment, overruled by options of `pgduet serve`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pgduet.errors import PgduetError


class Settings(BaseSettings):
    """What `pgduet serve` reads; every field is PGDUET_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="PGDUET_", extra="ignore", frozen=True, env_ignore_empty=True)

    # Names of the duets that are served from the start.
    model: Annotated[tuple[str, ...], NoDecode] = ("small",)
    max_models: int = Field(default=3, ge=1, validate_default=True)
    # Most that the weights of all duets may take in memory. With it those used longest ago leave to make room; 0: none.
    model_bytes: int = Field(default=0, ge=0)
    # Beyond this machine only with TLS, and with a token or certificates of callers.
    listen: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1:50517",)
    insecure: bool = False
    # For all TCP addresses; with an authority's, callers must show a certificate that it signed.
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None
    # One of the tokens in it is asked for on every address.
    token_file: Path | None = None
    models_dir: Path | None = None
    # Where Prometheus is answered; nowhere without.
    metrics_address: str | None = None
    threads: int | None = Field(default=None, ge=1)
    socket_mode: Annotated[int, NoDecode] = 0o660
    socket_group: str | None = None
    max_texts: int = Field(default=256, ge=1, le=4096)
    max_characters: int = Field(default=2_000_000, ge=1)
    # One model call; also the longest that anybody else waits for, unless nobody asked for some seconds.
    batch_tokens: int = Field(default=1024, ge=64)
    # One model call while there is only a load that nobody waits for; not below `batch_tokens`.
    bulk_tokens: int = Field(default=4096, ge=0)
    queue_tokens: int = Field(default=262_144, ge=1)
    cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    # Vectors of the last queries, to measure recall on what is really asked. Off: a vector tells much about its text.
    keep_queries: int = Field(default=0, ge=0, le=10_000)
    grace_seconds: float = Field(default=10.0, ge=0)
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("listen", "model", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("model")
    @classmethod
    def _some_model(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one duet")
        return tuple(dict.fromkeys(value))

    @field_validator("max_models")
    @classmethod
    def _room_for_all(cls, value: int, info: ValidationInfo) -> int:
        named = len(info.data.get("model", ()))
        if named > value:
            raise ValueError(f"{named} duets are named to be served, {value} may be")
        return value

    @field_validator("listen")
    @classmethod
    def _some_address(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one address")
        return value

    @field_validator("socket_mode", mode="before")
    @classmethod
    def _octal(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            mode = int(value, 8)
        except ValueError:
            raise ValueError("write the mode in octal, such as 0660") from None
        if not 0 <= mode <= 0o777:
            raise ValueError("a socket's mode lies between 0000 and 0777")
        return mode


def read_settings(**overrides: Any) -> Settings:
    """Read the settings; an override of None leaves the environment or the default in force.

    Raises PgduetError naming each variable that does not fit.
    """
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        faults = "; ".join(f"PGDUET_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise PgduetError(f"settings do not fit: {faults}", hint="see `pgduet serve --help`") from error
