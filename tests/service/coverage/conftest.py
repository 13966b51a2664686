"""The two databases of the storage's tests, for coverage too."""

from tests.service.storage.conftest import migrated_file, postgres

__all__ = ["migrated_file", "postgres"]
