"""pgduet's roles: made once for a cluster, and taken away with the last database that needs them."""

from typing import Any, LiteralString

import psycopg
from psycopg import sql

from pgduet.database.queries import load_queries
from pgduet.errors import PgduetError

Connection = psycopg.Connection[Any]

ROLES = ("pgduet_owner", "pgduet_reader", "pgduet_writer", "pgduet_admin", "pgduet_worker")


def create_roles(connection: Connection) -> list[str]:
    """Make the roles that are missing, and the memberships among them; return the names of the new ones.

    A dump holds no roles, and its GRANTs fail without them: this comes before a restore into another cluster. Safe
    to run at any time, also while another database of the cluster is being installed. Raises PgduetError.
    """
    require_superuser(connection)
    before = _present(connection)
    connection.execute(role_statements())
    return sorted(set(_present(connection)) - set(before))


def role_statements() -> LiteralString:
    """Return the statement that makes roles and memberships."""
    return _queries()["create"]


def drop_roles(connection: Connection) -> list[str]:
    """Drop the roles that no other database needs; return those that had to stay."""
    kept = []
    for role in _present(connection):
        name = sql.Identifier(role)
        # What somebody made outside the schema as one of the roles is not ours to drop.
        connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(name))
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        try:
            connection.execute(sql.SQL("DROP ROLE {}").format(name))
        except psycopg.errors.DependentObjectsStillExist:
            kept.append(role)
    return kept


def require_superuser(connection: Connection) -> None:
    """Refuse a role that cannot make PL/Python functions; raises PgduetError."""
    row = connection.execute("SELECT rolsuper, rolname FROM pg_roles WHERE rolname = current_user").fetchone()
    if not row or not row[0]:
        raise PgduetError(
            f"role {row[1] if row else '?'} is no superuser: PL/Python functions can be made by superusers only",
            hint="connect as one, for example with PGUSER=postgres, or give the output of "
            "`pgduet db migrate --sql` to your DBA",
        )


def _present(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(_queries()["present"], {"roles": list(ROLES)}).fetchall()]


def _queries() -> dict[str, LiteralString]:
    return load_queries("roles", "pgduet.migrations")
