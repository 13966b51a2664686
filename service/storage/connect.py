"""Opens the database: one URL, SQLite or PostgreSQL, its schema brought up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError

from vision import NgatuError

DEFAULT_URL = "sqlite:///ngatu-out/ngatu.db"
"""Where results go when nothing else is said: a file beside those of ``ngatu count``."""

NOTICED = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""A database server that vanishes without a word, as in a power cut, is noticed within half a minute."""

DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite+pysqlite"}
MIGRATIONS = Path(__file__).parent / "migrations"


class StorageError(NgatuError):
    """The database cannot be reached, is full, or is not one of ours."""


class RefusedError(StorageError):
    """The database understood and refused: the row itself is at fault, trying again does not help."""


def open_database(url: str | None = None, *, upgrade_empty: bool = True) -> Engine:
    """Open the database at a URL and see that its schema is the one this program knows.

    Args:
        url: ``sqlite:///file.db`` or ``postgresql://user:password@host/name``; None takes a file in
            ``ngatu-out``.
        upgrade_empty: make the tables if the database has none yet.

    Raises:
        StorageError: the URL is wrong, the database cannot be reached, or has another schema.
    """
    engine = connect(url)
    try:
        current, newest = schema_revision(engine)
        if current is None and upgrade_empty:
            upgrade(engine)
        elif current != newest:
            raise StorageError(_other_schema(engine, current, newest))
    except StorageError:
        engine.dispose()
        raise
    return engine


def connect(url: str | None = None) -> Engine:
    """An engine for a URL, whatever the schema; nothing is connected yet.

    Raises:
        StorageError: the URL is not one of SQLite or PostgreSQL, or the file's folder cannot be made.
    """
    address = _address(url or DEFAULT_URL)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, connect_args={"timeout": 30})
        _make_folder(address)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A writer that waits for a dead server must notice; pre-ping replaces connections that were cut.
    # Compiling a query of a few milliseconds takes longer than running it.
    settings = {"connect_timeout": 10, "options": "-c jit=off -c timezone=UTC", **NOTICED}
    return create_engine(address, pool_pre_ping=True, connect_args=settings)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end, rolled back by an exception.

    Raises:
        StorageError: the database cannot be reached or refuses to write.
    """
    with _explained(engine), engine.connect() as connection:
        connection.execution_options(ngatu_writes=True)
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one state of the database.

    Raises:
        StorageError: the database cannot be reached.
    """
    with _explained(engine), engine.connect() as connection, connection.begin():
        yield connection


def schema_revision(engine: Engine) -> tuple[str | None, str]:
    """The revision of the database's schema (None where it is empty), and the one this program knows.

    Raises:
        StorageError: the database cannot be reached, or holds tables of somebody else.
    """
    newest = str(ScriptDirectory(str(MIGRATIONS)).get_current_head())
    with reading(engine) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is None and "crossings" in inspect(connection).get_table_names():
            raise StorageError(
                f"{shown(engine)} has a table 'crossings' not made by ngatu; name another database"
            )
    return current, newest


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision; several that start at once wait for one another.

    Raises:
        StorageError: the database cannot be reached, or was made by a newer ngatu.
    """
    current, newest = schema_revision(engine)
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if current is not None and current not in known:
        raise StorageError(_other_schema(engine, current, newest))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('ngatu schema'))"))
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def shown(engine: Engine) -> str:
    """The database's address without its password."""
    url = engine.url.set(drivername=engine.dialect.name)
    # libpq takes passwords in the query as well.
    url = url.difference_update_query(["password", "sslpassword"])
    return url.render_as_string(hide_password=True)


def explain(engine: Engine, error: DBAPIError) -> StorageError:
    """A database's error as one sentence."""
    reason = str(error.orig).strip().splitlines()[0] if error.orig else "no reason given"
    if "disk is full" in reason or "No space left" in reason:
        return StorageError(
            f"the disk of {shown(engine)} is full ({reason}); free some space, nothing was lost"
        )
    if isinstance(error, OperationalError):
        return StorageError(f"cannot use the database {shown(engine)}: {reason}")
    kind = RefusedError if isinstance(error, IntegrityError | DataError) else StorageError
    return kind(f"the database {shown(engine)} refused: {reason}")


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        address = None
    scheme = address.drivername.split("+")[0] if address else None
    if address is None or scheme not in DRIVERS:
        raise StorageError(
            "the database's URL is not understood; write sqlite:///path/to/file.db or "
            "postgresql://user:password@host/name"
        )
    return address.set(drivername=DRIVERS[scheme])


def _make_folder(address: URL) -> None:
    if address.database and address.database != ":memory:":
        folder = Path(address.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make the folder {folder}: {error.strerror}; name another") from None


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set SQLite up: readers beside a writer, every commit on the disk, references checked."""
    connection.isolation_level = None  # we begin transactions ourselves, see below
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that will write takes the lock at once: one that read first could not wait for it.
    writes = connection.get_execution_options().get("ngatu_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise explain(engine, error) from error


def _other_schema(engine: Engine, current: str | None, newest: str) -> str:
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if current is not None and current not in known:
        return f"{shown(engine)} was made by a newer ngatu (schema {current}); update ngatu"
    return (
        f"{shown(engine)} has schema {current or 'none'}, this ngatu needs {newest}; "
        "run: ngatu db backup, then: ngatu db upgrade"
    )
