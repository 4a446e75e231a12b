"""docs/reference/settings.md: settings in the database, variables of the environment, settings of a session."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from fix_database import Connection
from page_functions import query
from page_text import NOTE, escaped, table
from pgduet.serving.settings import Settings
from pgduet.v1.credentials import Credentials

REPOSITORY = Path(__file__).resolve().parent.parent
READ = re.compile(r'(?:environ(?:\.get\(|\[)|envvar=)"(PGDUET_[A-Z_]+)"')
# Read where they are needed, and not by Settings.
VARIABLES = {
    "PGDUET_DEVICE": "where encoders run: `auto` (the first CUDA card, else the CPU), `cpu`, `cuda` or `cuda:N`",
    "PGDUET_ENGINE": "what runs encoders on a CPU: `auto` (OpenVINO where it is there), `openvino`, `torch`",
    "PGDUET_MODEL": "for `pgduet doctor`: duets whose files are checked, as `pgduet serve` reads it",
    "PGDUET_MODELS_DIR": "folder of the model store; `pgduet/models` in the user's cache by default",
    "PGDUET_SIDECAR": "address of the sidecar, or [several](../scaling.md); before the setting `sidecar_address`",
    "PGDUET_SIDECAR_CA_FILE": "authorities that sign sidecars' certificates; TLS is spoken on TCP if set",
    "PGDUET_SIDECAR_CERTIFICATE_FILE": "the caller's own certificate, for sidecars that ask for one",
    "PGDUET_SIDECAR_KEY_FILE": "its key, readable for its owner only",
    "PGDUET_SIDECAR_SERVER_NAME": "name in sidecars' certificates, where it is not that of the address",
    "PGDUET_SIDECAR_TOKEN_FILE": "the first token in it goes along with every call",
    "HF_ENDPOINT": "mirror of the model hub",
    "HF_HUB_OFFLINE": "`1`: ask no hub",
    "HF_TOKEN": "for repositories behind a login",
    "XDG_CACHE_HOME": "where models and exported encoders are kept, `~/.cache` by default",
    "PG_CONFIG": "`pg_config` of the PostgreSQL that `make setup`, `make demo` and the tests take",
}
SESSION = {
    "pgduet.search_mode": "`auto`, `exact` or `index`: whether searches use the [index](../search-index.md)",
    "pgduet.trigger_mode": "`auto`, `sync` or `queue`: whether one's own writes wait for [vectors](../queue.md)",
    "pgduet.traceparent": "the [trace](../sql.md#traces) that one's own calls join",
}
IN_THE_DATABASE = (
    "An admin changes them by `pgduet db set KEY VALUE`; they hold for everybody, at once. Files are those of the"
    " database's machine; who [may name them](../security.md#who-decides-where-code-goes) is restricted."
)
OF_THE_SIDECAR = "The environment of `pgduet serve`; its [options](cli.md#pgduet-serve) win."
OF_ALL = (
    "`PG*` are those of libpq, `PIP_*` those of pip. Variables of [containers](../containers.md#the-stack) and of"
    " [traces](../sql.md#traces) stand there."
)
OF_A_SESSION = (
    "`SET name = value`, or `SET LOCAL` for one transaction. Nothing else is read from a session: where code is sent is"
    " an admin's decision."
)


def settings_page(session: Connection) -> str:
    """Write the page, from a database in which no setting was changed."""
    stored = [(f"`{one.key}`", _code(one.value), escaped(one.description)) for one in query(session, "settings")]
    serve = [(f"`PGDUET_{name.upper()}`", *_field(field)) for name, field in sorted(Settings.model_fields.items())]
    parts = [
        "# Settings",
        NOTE,
        *("## In the database", IN_THE_DATABASE, table(("key", "at first", "meaning"), stored)),
        *("## Of the sidecar", OF_THE_SIDECAR, table(("variable", "by default", "meaning"), serve)),
        *("## Of all commands", OF_ALL, table(("variable", "meaning"), _named(VARIABLES))),
        *("## Of a session", OF_A_SESSION, table(("name", "meaning"), _named(SESSION))),
    ]
    return "\n\n".join(parts) + "\n"


def read_variables() -> Mapping[str, set[Path]]:
    """Find the variables PGDUET_* that the code of the rooms reads, and where."""
    found: dict[str, set[Path]] = {f"PGDUET_{name.upper()}": set() for name in Settings.model_fields}
    for room in ("sidecar", "proto", "plpython", "migrations"):
        for file in (REPOSITORY / room).rglob("*.py"):
            for name in re.findall(
                r'(?:environ(?:\.get\(|\[)|envvar=)"(PGDUET_[A-Z_]+)"', file.read_text(encoding="utf-8")
            ):
                found.setdefault(name, set()).add(file)
    for field in dataclasses.fields(Credentials):
        found[f"PGDUET_SIDECAR_{field.name.upper()}"] = set()
    return found


def session_settings() -> set[str]:
    """Find the settings of a session that the SQL reads; what begins with _ is internal."""
    files = (REPOSITORY / "sql").rglob("*.sql")
    return {name for file in files for name in re.findall(r"current_setting\('(pgduet\.[a-z]\w*)'", file.read_text())}


def _named(described: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(f"`{name}`", meaning) for name, meaning in described.items()]


def _field(field: FieldInfo) -> tuple[str, str]:
    assert field.description, "each setting of the sidecar has a description"
    default: Any = field.default
    if field.description.endswith("in octal"):
        default = f"{default:04o}"
    shown = ",".join(default) if isinstance(default, tuple) else "" if default is None else str(default)
    return _code(shown.lower() if isinstance(default, bool) else shown), escaped(field.description)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
