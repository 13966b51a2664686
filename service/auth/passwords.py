"""Passwords: long ones, none of the commonest, kept as Argon2id hashes (rules of NIST SP 800-63B)."""

import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.auth.problems import Problem

SHORTEST = 12
LONGEST = 256

HASHER = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
"""Argon2id above OWASP's least (19 MiB, 2 passes): logging in shares two cores with counting."""

# A password of these with digits and signs around or between them is among the first that anybody tries.
_COMMON = frozenset(
    [
        "password",
        "passwort",
        "passw0rd",
        "p@ssword",
        "p@ssw0rd",
        "matkhau",
        "matkhaumoi",
        "khongcomatkhau",
        "qwerty",
        "qwertyui",
        "qwertyuiop",
        "qwertyasdf",
        "qazwsx",
        "qazwsxedc",
        "asdfgh",
        "asdfghjkl",
        "zxcvbn",
        "zxcvbnm",
        "abc",
        "abcd",
        "abcdef",
        "abcdefgh",
        "abcdefghijkl",
        "aaaaaa",
        "admin",
        "administrator",
        "administrators",
        "quantri",
        "quantrivien",
        "root",
        "superuser",
        "user",
        "guest",
        "test",
        "tester",
        "testing",
        "demo",
        "welcome",
        "welcometo",
        "letmein",
        "iloveyou",
        "iloveu",
        "anhyeuem",
        "emyeuanh",
        "yeuem",
        "changeme",
        "changeit",
        "changethis",
        "secret",
        "default",
        "login",
        "camera",
        "cameras",
        "hikvision",
        "dahua",
        "ngatu",
        "nga",
        "tu",
        "nutgiao",
        "giaothong",
        "vietnam",
        "hanoi",
        "bacgiang",
        "bacninh",
        "saigon",
        "hochiminh",
        "thanhpho",
        "football",
        "baseball",
        "monkey",
        "dragon",
        "master",
        "sunshine",
        "princess",
        "superman",
        "batman",
        "trustno",
        "starwars",
        "michael",
        "charlie",
        "computer",
        "internet",
        "whatever",
    ]
)
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "01234567890123456789",
    "1q2w3e4r5t6y7u8i9o0p",
)

_WRITTEN_FOR = str.maketrans("@4310$5!", "aaeiossi")


def normal(password: str) -> str:
    """The one form of a password, however a keyboard composes its Vietnamese signs."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, login: str, field: str = "body.password") -> str:
    """See that a new password will do, and return its one form.

    Raises:
        Problem: 422, it will not, with what to do.
    """
    text = normal(password)
    if len(text) < SHORTEST:
        problem = f"it has {len(text)} characters; take at least {SHORTEST}, such as four words"
    elif len(text) > LONGEST:
        problem = f"it has more than {LONGEST} characters"
    elif _is_common(text.casefold(), login):
        problem = "it is among the first that anybody would try; take another, such as four words"
    else:
        return text
    raise Problem(422, "not a good password", problem, field)


def hash_password(password: str) -> str:
    """What the database keeps of a password."""
    return HASHER.hash(normal(password))


_NOBODY = HASHER.hash("the password of nobody")


def is_password(kept: str | None, password: str) -> bool:
    """Whether a password is the one kept; with none kept (an unknown login) it takes as long, and is not."""
    text = normal(password[: 4 * LONGEST])
    try:
        return HASHER.verify(kept or _NOBODY, text) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def needs_new_hash(kept: str) -> bool:
    """Whether a hash was made with settings of an earlier time."""
    return HASHER.check_needs_rehash(kept)


def _is_common(text: str, login: str) -> bool:
    letters = re.sub(r"[\W\d_]", "", text)
    meant = re.sub(r"[\W\d_]", "", re.sub(r"[\W\d_]+$", "", text).translate(_WRITTEN_FOR))
    without_login = text.replace(login.casefold(), "") if login else text
    return (
        bool({letters, meant} & _COMMON)
        or _has_period(letters)
        or not letters  # digits and signs alone: a date or a telephone number
        or _has_period(text)
        or any(_is_run(text, run) for run in _RUNS)
        or len(without_login) < SHORTEST // 2
        or len(set(text)) < 5
    )


def _has_period(text: str) -> bool:
    """Whether a text is a piece of at most four characters, or a common word, again and again."""
    whole = (text + text).find(text, 1)
    return 0 < whole < len(text) and (whole <= 4 or text[:whole] in _COMMON)


def _is_run(text: str, run: str) -> bool:
    return text in run * 3 or text[::-1] in run * 3
