"""Make Superset's state ready: its own tables, an admin, a login in PostgreSQL, the dashboard. run.sh calls it.

Runs in Superset's environment with SUPERSET_HOME and SUPERSET_CONFIG_PATH set. Without --dsn, PG* variables name an
admin's connection, by which the login `pgduet_superset` is made, a member of pgduet_reader alone.
"""

import argparse
import logging
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import bundle
import psycopg2
import psycopg2.extensions
import yaml
from sqlalchemy.engine import URL

HOME = Path(os.environ["SUPERSET_HOME"])
LOGIN = "pgduet_superset"
ROLES = "SELECT r.rolname FROM pg_roles r WHERE pg_has_role(r.oid, 'member') AND r.rolname <> current_user ORDER BY 1"
INSTALLED = "SELECT to_regclass('pgduet.coverage_snapshot') IS NOT NULL"
EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = %s"


def fail(message: str, hint: str) -> None:
    """Say what is wrong and what to do, and end."""
    sys.exit(f"superset: error: {message}\nsuperset: hint: {hint}")


def kept_secret(name: str) -> str:
    """Give the secret in a file of the state folder, made at random where it is not there."""
    file = HOME / name
    if not file.exists():
        file.write_text(secrets.token_urlsafe(32) + "\n")
    return file.read_text().strip()


def connect(dsn: str) -> psycopg2.extensions.connection:
    """Connect by libpq's rules, or end with its reason."""
    try:
        session = psycopg2.connect(dsn, application_name="superset")
    except psycopg2.OperationalError as error:
        fail(f"cannot connect to PostgreSQL: {error}", "run `make demo`, set PG* variables, or pass --dsn")
    session.autocommit = True
    return session


def make_login(admin: psycopg2.extensions.connection) -> str:
    """Make the login, or give it its password anew; return the connection string it uses."""
    password = kept_secret("database.password")
    with admin.cursor() as cursor:
        cursor.execute(EXISTS, (LOGIN,))
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        cursor.execute(f"{verb} ROLE {LOGIN} LOGIN PASSWORD %s", (password,))
        cursor.execute(f"GRANT pgduet_reader TO {LOGIN}")
    return psycopg2.extensions.make_dsn(admin.dsn, user=LOGIN, password=password)


def drop_login(admin: psycopg2.extensions.connection) -> None:
    """Drop the login where it is there."""
    with admin.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {LOGIN}")


def check_reader(session: psycopg2.extensions.connection) -> None:
    """Refuse a login that may do more than read: whoever uses Superset could do it too."""
    with session.cursor() as cursor:
        cursor.execute(INSTALLED)
        if cursor.fetchone() != (True,):
            fail("pgduet is not installed in this database, or is older", "run `pgduet db migrate` on it")
        cursor.execute(ROLES)
        roles = [name for (name,) in cursor.fetchall()]
    if roles != ["pgduet_reader"]:
        fail(
            f"this login is a member of {', '.join(roles[:5]) or 'no role'}",
            "give it the role pgduet_reader and no other: GRANT pgduet_reader TO ...",
        )


def address(session: psycopg2.extensions.connection) -> URL:
    """Give SQLAlchemy's address of a connection; a socket's folder and TLS options stand in its query."""
    parts = {**session.info.dsn_parameters, "password": session.info.password or None}
    names = {"user": "username", "password": "password", "dbname": "database"}
    query = {name: parts[name] for name in ("host", "port", "sslmode", "sslrootcert") if parts.get(name)}
    return URL.create("postgresql+psycopg2", **{to: parts.get(name) for name, to in names.items()}, query=query)


def make_admin(sm: Any) -> Any:
    """Make the user `admin`, whose password is kept in the state folder; return it."""
    password = kept_secret("admin.password")
    admin = sm.find_user("admin")
    if admin is None:
        return sm.add_user("admin", "pgduet", "admin", "admin@localhost", sm.find_role("Admin"), password)
    sm.reset_password(admin.id, password)
    return admin


def import_dashboard(admin: Any, uri: URL) -> None:
    """Import the dashboard unless it is there, and point its connection to the database."""
    from superset import db
    from superset.commands.dashboard.importers.dispatcher import ImportDashboardsCommand
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.utils.core import override_user

    contents = bundle.files()
    connection = yaml.safe_load(contents["databases/pgduet.yaml"])
    connection["sqlalchemy_uri"] = uri.render_as_string(hide_password=False)
    contents["databases/pgduet.yaml"] = yaml.safe_dump(connection)
    with override_user(admin):
        if db.session.query(Dashboard).filter_by(slug="pgduet").first() is None:
            ImportDashboardsCommand(contents, overwrite=True).run()
        database = db.session.query(Database).filter_by(uuid=connection["uuid"]).one()
        database.set_sqlalchemy_uri(connection["sqlalchemy_uri"])
        db.session.commit()


def main() -> None:
    """Do it all; each step is skipped where it was done before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsn", help="connection of a login with the role pgduet_reader, to be used as it is")
    parser.add_argument("--drop-login", action="store_true", help="drop the login instead")
    asked = parser.parse_args()
    if asked.drop_login:
        drop_login(connect(""))
        return
    session = connect(asked.dsn if asked.dsn else make_login(connect("")))
    check_reader(session)
    kept_secret("secret.key")

    from flask_migrate import upgrade
    from superset.app import create_app

    logging.disable(logging.WARNING)
    app = create_app()
    with app.app_context():
        from superset import appbuilder, security_manager

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        import_dashboard(make_admin(security_manager), address(session))


if __name__ == "__main__":
    main()
