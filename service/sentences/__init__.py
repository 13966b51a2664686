"""What errors, notes and findings say, in Vietnamese: a table of English sentences with their places.

Sentences are written in English where they arise, in the library too, which knows no languages. Where one
goes out to somebody who reads Vietnamese it is matched against the table, and what stands in its places is
filled into the Vietnamese one. A test finds each sentence that a page can show and that the table lacks.
"""

import re
from functools import cache, lru_cache
from itertools import islice

from service.sentences import (
    accounts,
    cameras,
    drawing,
    fields,
    machine,
    recordings,
    registry,
    reports,
    requests,
)

PAIRS: tuple[tuple[str, str], ...] = (
    *accounts.PAIRS,
    *cameras.PAIRS,
    *drawing.PAIRS,
    *fields.PAIRS,
    *machine.PAIRS,
    *recordings.PAIRS,
    *registry.PAIRS,
    *reports.PAIRS,
    *requests.PAIRS,
)
"""English and Vietnamese; ``{name}`` is a place, and one whose name ends in ``problem`` holds a sentence."""

PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
LONGEST = 1000
"""Longer text is no sentence of ours, and would take long to match."""
MOST_MARKS = 8
"""Colons and semicolons that are looked at."""

_ROLES = {
    "viewer": "người xem",
    "operator": "trực ban",
    "engineer": "kỹ sư",
    "administrator": "quản trị viên",
}
_FILE = {"it": "tệp này"}
WORDS: dict[str, dict[str, str]] = {
    "role": _ROLES,
    "own_role": _ROLES,
    "path": _FILE,
    "name": _FILE,
    "known": {"none": "không có"},
    "state": {
        "queued": "đang chờ",
        "running": "đang đếm",
        "done": "đã xong",
        "failed": "không đếm được",
        "cancelled": "đã hủy",
    },
    "part": {"gates": "vạch", "zones": "vùng", "movements": "hướng rẽ", "approaches": "nhánh"},
    "thing": {
        "site": "địa điểm",
        "approach": "nhánh",
        "view of the camera": "hình vẽ của camera",
        "owner": "camera phụ trách của",
        "target": "mục tiêu",
    },
    "remembered": {", measured before": ", đã đo trước đó"},
    "stream": {"main stream": "luồng chính", "substream": "luồng phụ"},
    "picture": {
        "frozen": "bị đứng",
        "dark": "quá tối",
        "blinded": "bị chói",
        "blocked": "bị che",
        "blurred": "bị mờ",
        "moved": "bị lệch",
    },
    "plane": {"picture": "hình", "ground": "mặt đường"},
    "secret": {"a password": "mật khẩu", "a key or token": "khóa hoặc mã"},
    "theirs": {"nothing": "không có gì"},
    "ours": {"nothing": "không có gì"},
    "reason": {
        "No space left on device": "ổ đĩa đã đầy",
        "Permission denied": "không có quyền",
        "No such file or directory": "không có tệp",
        "Read-only file system": "ổ đĩa chỉ đọc",
        "no reason given": "không rõ lý do",
        "it is not UTF-8 text": "không phải văn bản UTF-8",
    },
}
"""Words that stand in a place of that name."""


def in_vietnamese(text: str) -> str:
    """A sentence in Vietnamese; what is not in the table comes back as it is.

    Example:
        >>> in_vietnamese("path.day: give a day between 1971 and 2200")
        'path.day: hãy cho ngày trong khoảng 1971 đến 2200'
    """
    if not text or len(text) > LONGEST:
        return text
    return _translated(text) or text


@lru_cache(maxsize=4096)
def _translated(text: str) -> str | None:
    """A sentence, or two with a semicolon between them."""
    if whole := _known(text):
        return whole
    for mark in islice(re.finditer("; ", text), MOST_MARKS):
        one, other = _known(text[: mark.start()]), _known(text[mark.end() :])
        if one and other:
            return f"{one}; {other}"
    return None


def _known(text: str) -> str | None:
    """A sentence; before it may stand what it is about: fields, files, addresses, which have no language."""
    marks = re.finditer(": ", text.partition("; ")[0])
    for at in (0, *(mark.end() for mark in islice(marks, MOST_MARKS))):
        if found := _matched(text[at:]):
            return re.sub(r"\bline (?=\d)", "dòng ", text[:at]) + found
    return None


def _matched(text: str) -> str | None:
    lowered = text.lower()
    for landmark, english, vietnamese in _TABLE:
        if landmark in lowered and (found := _pattern(english).fullmatch(text)):
            return _filled(vietnamese, found.groupdict())
    return None


def _filled(vietnamese: str, values: dict[str, str]) -> str:
    def fill(place: re.Match[str]) -> str:
        name = place[1]
        value = values.get(name, place[0])
        if name.endswith("problem"):
            return in_vietnamese(value)
        if re.fullmatch(r"-?\d+\.\d+%?", value):
            return value.replace(".", ",")
        if name == "expected":
            return value.replace(" or ", " hoặc ")
        return WORDS.get(name, {}).get(value, value)

    return PLACE.sub(fill, vietnamese)


@cache
def _pattern(english: str) -> re.Pattern[str]:
    first, *rest = PLACE.split(english)
    written = re.escape(first)
    for at in range(0, len(rest), 2):
        name, after = rest[at], re.escape(rest[at + 1])
        # What a sentence begins with is a name, and no other sentence.
        anything = r"(?:(?!: |; ).)*?" if not written else ".*?"
        words = sorted(WORDS.get(name, ()), key=len, reverse=True)
        place = f"(?P<{name}>{'|'.join([*map(re.escape, words), anything])}){after}"
        # Where it ends is not looked for again: nobody's text shall take long.
        written += place if at + 2 == len(rest) else f"(?>{place})"
    # Away from the command line options lose their dashes; logins of addresses are masked, examples too; what
    # libraries say may come in lower case.
    written = written.replace(r"\-\-", r"(?:\-\-)?")
    written = re.sub("user(:password)?@", r"(?:user(?::password)?|\\*\\*\\*)@", written)
    return re.compile(written, re.DOTALL | re.IGNORECASE)


def _landmark(english: str) -> str:
    """The longest text that a sentence surely has: looking for it is quicker than matching."""
    return max(re.split("--|user(?::password)?@|\\0", PLACE.sub("\0", english)), key=len).lower()


# The sentence with the most text of its own first: it says the most.
_TABLE = sorted(
    ((_landmark(english), english, vietnamese) for english, vietnamese in PAIRS),
    key=lambda each: -len(PLACE.sub("", each[1])),
)
