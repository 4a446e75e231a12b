"""Dumps of databases and their restores, by PostgreSQL's own programs; and what must be the same afterwards."""

import os
import re
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

from fix_database import Database
from pgduet.local.binaries import find_binaries

# One line for each thing that a dump carries: vectors bit for bit, rows, settings, version, queues, indexes.
FINGERPRINTS = {
    "chunks": "SELECT count(*), md5(string_agg(c::text, '|' ORDER BY c.chunk_id)) FROM pgduet.code_chunks c",
    "vectors": "SELECT count(*), md5(string_agg(concat_ws(',', e.chunk_id, e.generation_id, e.embedding, e.sketch,"
    " encode(e.content_hash, 'hex')), '|' ORDER BY e.chunk_id, e.generation_id)) FROM pgduet.code_embeddings e",
    "generations": "SELECT array_agg(g ORDER BY g.generation_id)::text FROM pgduet.generations g",
    "settings": "SELECT array_agg(s ORDER BY s.key)::text FROM pgduet._setting s",
    "version": "SELECT (SELECT array_agg(version_num)::text FROM pgduet._migration),"
    " (SELECT array_agg(i)::text FROM pgduet._installation i)",
    "queue": "SELECT array_agg((p.seq, p.chunk_id, p.attempts) ORDER BY p.seq)::text FROM pgduet._pending p",
    "rows to cut": "SELECT array_agg((s.seq, s.watch_id, s.row_key) ORDER BY s.seq)::text FROM pgduet._source s",
    "watches": "SELECT array_agg(w ORDER BY w.watch_id)::text FROM pgduet._watch w",
    "failures": "SELECT array_agg(d ORDER BY d.chunk_id)::text FROM pgduet._dead_letter d",
    "builds": "SELECT array_agg(b ORDER BY b.build_id)::text FROM pgduet._index_build b",
    "indexes": "SELECT array_agg((c.relname, i.indisvalid) ORDER BY c.relname)::text FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'pgduet'::regnamespace",
    "not valid": "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
}


def fingerprints(database: Database) -> dict[str, Any]:
    """Give everything of a database that a dump must carry over."""
    with database.connect() as connection:
        return {name: connection.execute(query.encode()).fetchone() for name, query in FINGERPRINTS.items()}


def dump(database: Database, file: Path, *options: str) -> Path:
    """Dump a database; `-Fc` unless another form is asked for."""
    form = () if any(option.startswith("-F") for option in options) else ("-Fc",)
    run_program("pg_dump", *form, *options, "--file", str(file), database.conninfo)
    return file


def restore(file: Path, database: Database, *options: str, settings: str = "") -> None:
    """Restore a dump and fail at the first error; `settings` are those of the session, as PGOPTIONS takes them."""
    run_program(
        "pg_restore", "--exit-on-error", *options, "--dbname", database.conninfo, str(file), environment=settings
    )


def run_program(program: str, *arguments: str, environment: str = "", text: str | None = None) -> str:
    """Run one of PostgreSQL's programs; give what it printed. Raises CalledProcessError, its complaint in `stderr`."""
    options = {**os.environ, "PGOPTIONS": environment} if environment else dict(os.environ)
    command = [str(find_binaries()[program]), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=options, input=text)
    if done.returncode:
        # The complaint is what a failing test must show.
        raise subprocess.CalledProcessError(done.returncode, done.stderr, done.stdout, done.stderr)
    return done.stdout


def dump_schema(database: Database) -> str:
    """Dump the schema without bodies of functions and what differs from run to run."""
    text = run_program("pg_dump", "--schema-only", "--no-comments", "--schema=pgduet", database.conninfo)
    # Bodies stand in sql/ and would only be told twice.
    text = re.sub(r"AS (\$_?\$).*?\1", "AS ...", text, flags=re.DOTALL)
    # pg_dump 17 gives views and sequences their owner by a statement of their own.
    text = re.sub(r"^ALTER (?:VIEW|SEQUENCE) (\S+ OWNER TO )", r"ALTER TABLE \1", text, flags=re.MULTILINE)
    dull = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*|\s*)$")
    lines = [line for line in text.splitlines() if not dull.match(line)]
    # Rights of one thing stand in the order in which they were granted, which an upgrade need not keep.
    runs = [list(run) for _, run in groupby(lines, key=lambda line: line.startswith("GRANT "))]
    ordered = [line for run in runs for line in (sorted(run) if run[0].startswith("GRANT ") else run)]
    return "\n".join(ordered) + "\n"
