"""Seals what must not be read in the database: camera addresses and secrets, with a key that is not in it."""

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Dialect, types
from sqlalchemy.exc import DontWrapMixin

from vision import NgatuError

PREFIX = "sealed:1:"
"""Text that begins so is sealed: the prefix, eight characters that name the key, a colon, a Fernet token."""


class SealingError(NgatuError, DontWrapMixin):
    """The key is missing, is no key, or is not the one that something was sealed with."""


def seal(text: str) -> str:
    """Text that only the key opens; empty text stays empty, what is sealed already stays as it is.

    Raises:
        SealingError: there is no key and none can be made.
    """
    if not text or text.startswith(PREFIX):
        return text
    key = _keys(make=True)[0]
    return f"{PREFIX}{_name(key)}:{Fernet(key).encrypt(text.encode()).decode()}"


def unseal(text: str) -> str:
    """The text that was sealed; what was never sealed (an old row) comes back as it is.

    Raises:
        SealingError: the key is missing, or is another one.
    """
    if not text.startswith(PREFIX):
        return text
    name, _, token = text.removeprefix(PREFIX).partition(":")
    keys = {_name(key): key for key in _keys(make=False)}
    if name not in keys:
        have = f"the key here is {', '.join(keys)}" if keys else "there is no key here"
        raise SealingError(
            f"an address or secret is sealed with the key {name}, but {have}; {_where_to_put()}"
        )
    try:
        return Fernet(keys[name]).decrypt(token.encode()).decode()
    except InvalidToken:
        raise SealingError("a sealed address or secret was altered in the database; enter it anew") from None


def is_sealed(text: str) -> bool:
    """Whether text is sealed already."""
    return text.startswith(PREFIX)


def new_key() -> str:
    """A key for NGATU_KEY: 32 random bytes, in URL-safe base 64."""
    return Fernet.generate_key().decode()


def key_names() -> list[str]:
    """The names of the keys at hand, that which seals first; empty before the first use."""
    return [_name(key) for key in _keys(make=False)]


def derived_key(purpose: str) -> bytes:
    """32 bytes for another purpose, made of the key, from which nothing can be told about it.

    Raises:
        SealingError: there is no key and none can be made.
    """
    secret = base64.urlsafe_b64decode(_keys(make=True)[0])
    return hmac.new(secret, f"ngatu {purpose}".encode(), hashlib.sha256).digest()


def key_file() -> Path:
    """The file of the key where NGATU_KEY does not hold it: NGATU_KEY_FILE, or one in the user's settings."""
    if named := os.environ.get("NGATU_KEY_FILE"):
        return Path(named)
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "ngatu" / "key"


def key_place() -> str:
    """Where the key is, in words."""
    return "NGATU_KEY" if os.environ.get("NGATU_KEY") else str(key_file())


class SealedText(types.TypeDecorator[str]):
    """A text column that the database holds sealed and the program sees open.

    Rows written before there was a key are read as they are, and sealed when they are next written. Where the
    key is missing or another one the text comes back sealed, so that all else of its row can be read and
    written; whoever wants to open it is told (``resolve_address``). A sealed column cannot be searched: each
    sealing of the same text is another.
    """

    impl = types.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """From the program into the database."""
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """From the database into the program."""
        try:
            return None if value is None else unseal(value)
        except SealingError:
            return str(value)


def _keys(make: bool) -> list[bytes]:
    """The keys, that which seals first; older ones open only.

    Raises:
        SealingError: what is there is no key, anybody can read it, or none can be made.
    """
    if given := os.environ.get("NGATU_KEY", "").replace(",", " ").split():
        return [_checked(each, "NGATU_KEY") for each in given]
    path = key_file()
    try:
        text = _read(path)
    except FileNotFoundError:
        if not make:
            return []
        text = _make(path)
    except OSError as error:
        raise SealingError(
            f"the key file {path} cannot be read: {error.strerror}; {_where_to_put()}"
        ) from None
    return [_checked(each, str(path)) for each in text.split()]


def _read(path: Path) -> str:
    status = path.stat()
    if status.st_mode & 0o077:
        raise SealingError(f"others than you can read the key file {path}; run: chmod 600 {path}")
    text = path.read_text(encoding="ascii", errors="replace")
    if not text.strip():
        raise SealingError(f"the key file {path} is empty; {_where_to_put()}")
    return text


def _make(path: Path) -> str:
    """A new key in a new file that only its owner may read; of several that start at once one wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, new_key().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return _read(path)
    except OSError as error:
        raise SealingError(
            f"there is no key to seal addresses with, and the file {path} cannot be made: {error.strerror}; "
            "set NGATU_KEY_FILE to a file that ngatu may write, or NGATU_KEY to a key"
        ) from None


@lru_cache(maxsize=8)
def _checked(text: str, where: str) -> bytes:
    try:
        if len(base64.urlsafe_b64decode(text)) != 32:
            raise ValueError
    except ValueError:
        raise SealingError(f"{where} holds no key; make one with: ngatu accounts new-key") from None
    return text.encode()


def _name(key: bytes) -> str:
    """Eight characters by which a key is told from others; nothing of it can be told from them."""
    return hashlib.sha256(b"ngatu key " + key).hexdigest()[:8]


def _where_to_put() -> str:
    return "put the key back (NGATU_KEY, or the file that NGATU_KEY_FILE names), or enter the address anew"
