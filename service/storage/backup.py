"""Copies of the whole database: of a SQLite file while it is written to, of PostgreSQL with its own tools."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, inspect

from service.storage.connect import StorageError, reading, schema_revision, shown


def backup(engine: Engine, path: Path) -> int:
    """Copy the database, in one consistent state, to a new file; returns its size in bytes.

    Raises:
        StorageError: the file is there already or cannot be written, or PostgreSQL's tools are missing.
    """
    if path.exists():
        raise StorageError(f"{path} is there already; name another file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.unlink(missing_ok=True)
        if engine.dialect.name == "sqlite":
            with closing(_file(engine)) as source, closing(sqlite3.connect(partial)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
        else:
            _run_tool("pg_dump", engine, "--format=custom", f"--file={partial}", "--no-owner")
        partial.rename(path)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"cannot write the backup {path}: {error}; choose another folder") from None
    return path.stat().st_size


def restore(engine: Engine, path: Path) -> str:
    """Fill an empty database from a backup of the same kind; returns the revision of its schema.

    Raises:
        StorageError: the database is not empty, or the file is not a backup of this kind of database.
    """
    if not path.is_file():
        raise StorageError(f"there is no backup {path}; give the file that ngatu db backup wrote")
    with reading(engine) as connection:
        if inspect(connection).get_table_names():
            raise StorageError(f"{shown(engine)} is not empty; restore into a new database")
    if engine.dialect.name == "sqlite":
        _restore_file(engine, path)
    else:
        _run_tool("pg_restore", engine, "--exit-on-error", "--single-transaction", "--no-owner", str(path))
    current, _ = schema_revision(engine)
    if current is None:
        raise StorageError(f"{path} holds no database of ngatu")
    return current


def _restore_file(engine: Engine, path: Path) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        try:
            (state,) = source.execute("PRAGMA quick_check").fetchone()
            source.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise StorageError(f"{path} is not a backup of an SQLite database of ngatu ({error})") from None
        if state != "ok":
            raise StorageError(f"the backup {path} is damaged ({state}); take another")
        with closing(_file(engine)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = WAL")


def _file(engine: Engine) -> sqlite3.Connection:
    return sqlite3.connect(engine.url.database or "", timeout=30)


def _run_tool(name: str, engine: Engine, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, not the command line."""
    program = shutil.which(name)
    if program is None:
        raise StorageError(f"{name} is not installed; install PostgreSQL's client programs and try again")
    url = engine.url.set(drivername="postgresql", password=None).render_as_string()
    environment = dict(os.environ)
    if engine.url.password:
        environment["PGPASSWORD"] = str(engine.url.password)
    done = subprocess.run(
        [program, f"--dbname={url}", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StorageError(f"{name} failed for {shown(engine)}: {reason}")
