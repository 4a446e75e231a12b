"""The idempotent SQL that follows every migration."""

import hashlib
from importlib.resources import files


def read_sql_files() -> dict[str, str]:
    """Return the text of every file of sql/, by name, in the order in which they are applied."""
    folder = files("pgduet.sql")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}


def hash_sql_files() -> str:
    """Return a hash of names and texts: it tells whether a database holds this version's functions."""
    digest = hashlib.sha256()
    for name, text in read_sql_files().items():
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()
