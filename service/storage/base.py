"""What all tables share: the declarative base, moments in UTC, and arrays that both databases keep."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Connection, Dialect, Double, MetaData, String, Table, types
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(types.TypeDecorator[datetime]):
    """A moment in UTC to the microsecond: timestamptz in PostgreSQL, microseconds since 1970 in SQLite.

    A datetime without a time zone is refused: it would mean another moment on another machine.
    """

    impl = types.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """The column's type in one of the two databases."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """From the program into the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; moments are kept in UTC")
        return value if dialect.name == "postgresql" else microseconds(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """None where the driver gives UTC already, as PostgreSQL's does in our sessions: that is quicker."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From SQLite into the program."""
        return None if value is None else moment(value)


def microseconds(value: datetime) -> int:
    """Whole microseconds from 1970 to a moment."""
    return (value - EPOCH) // timedelta(microseconds=1)


def moment(value: int) -> datetime:
    """The moment so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=value)


def upsert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the connection's database that knows ON CONFLICT, which both write in the same way."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


Json = types.JSON().with_variant(JSONB(), "postgresql")
Numbers = types.JSON().with_variant(ARRAY(Double()), "postgresql")
"""A list of floats: an array in PostgreSQL, JSON in SQLite."""

RowId = types.BigInteger().with_variant(types.Integer(), "sqlite")
"""A number given by the database; SQLite counts by itself only in columns of this type."""

Name = Annotated[str, mapped_column(String(64))]
"""An identifier such as those of views: letters, digits, _ and -."""
Text = Annotated[str, mapped_column(types.Text(), server_default="")]
Row = Annotated[int, mapped_column(RowId, primary_key=True, autoincrement=True, sort_order=-1)]


class Base(DeclarativeBase):
    """Base of all tables; constraints get names, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment(),
        dict[str, Any]: Json,
        list[Any]: Json,
        list[float]: Numbers,
        float: Double(),
    }


class Dated:
    """A version of a registry record, valid in ``valid_from`` ≤ t < ``valid_to``; open without an end.

    A change closes the version and adds one, so that figures of the past keep what they were made with.
    """

    pk: Mapped[Row]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
