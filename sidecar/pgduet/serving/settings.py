"""Settings of the sidecar: PGDUET_* in the environment, overruled by options of `pgduet serve`."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pgduet.errors import PgduetError


class Settings(BaseSettings):
    """What `pgduet serve` reads; every field is PGDUET_ and its name in capitals.

    docs/reference/settings.md is made of the descriptions.
    """

    model_config = SettingsConfigDict(env_prefix="PGDUET_", extra="ignore", frozen=True, env_ignore_empty=True)

    model: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("small",), description="names of the duets that are served from the start, separated by commas"
    )
    max_models: int = Field(
        default=3,
        ge=1,
        validate_default=True,
        description="so many duets may be in memory, those that `pgduet models load` adds too",
    )
    model_bytes: int = Field(
        default=0,
        ge=0,
        description="so much memory may the weights of all duets take, and those used longest ago leave to make room; "
        "0: no limit, and none leaves",
    )
    listen: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1:50517",),
        description="addresses, host:port or unix:/path, separated by commas; beyond this machine only with TLS, and "
        "with a token or certificates of callers",
    )
    insecure: bool = Field(default=False, description="true: let other machines in without TLS and token")
    tls_certificate_file: Path | None = Field(
        default=None, description="certificate for TLS on all TCP addresses, with those that lead to its authority"
    )
    tls_key_file: Path | None = Field(default=None, description="its key, readable for its owner only")
    tls_client_ca_file: Path | None = Field(
        default=None, description="authorities that sign callers' certificates: each caller must show one"
    )
    token_file: Path | None = Field(
        default=None, description="tokens, one a line: each call on any address must bear one of them"
    )
    models_dir: Path | None = Field(
        default=None, description="folder of the model store; by default pgduet/models in the user's cache"
    )
    metrics_address: str | None = Field(
        default=None, description="host:port where Prometheus is answered; nowhere without"
    )
    threads: int | None = Field(
        default=None, ge=1, description="threads of the model; by default as many as torch takes"
    )
    socket_mode: Annotated[int, NoDecode] = Field(default=0o660, description="mode of unix sockets, in octal")
    socket_group: str | None = Field(default=None, description="group of unix sockets")
    max_texts: int = Field(default=256, ge=1, le=4096, description="most texts in a request")
    max_characters: int = Field(default=2_000_000, ge=1, description="most characters of a text")
    batch_tokens: int = Field(
        default=1024,
        ge=64,
        description="most tokens in one batch, and so the longest that other documents wait for; queries wait for less",
    )
    bulk_tokens: int = Field(
        default=4096,
        ge=0,
        description="the same while there is only a load that nobody waits for; not below PGDUET_BATCH_TOKENS",
    )
    queue_tokens: int = Field(default=262_144, ge=1, description="most tokens that wait in a lane; more is refused")
    cache_bytes: int = Field(
        default=64 * 1024 * 1024, ge=0, description="memory for vectors of texts that come again; 0: none"
    )
    # Off: a vector tells much about its text.
    keep_queries: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="so many last queries are kept in memory, as vectors, never as texts; recall is measured with them",
    )
    grace_seconds: float = Field(default=10.0, ge=0, description="time that calls in flight get when it is stopped")
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="json, console, or auto: console on a terminal"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

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
