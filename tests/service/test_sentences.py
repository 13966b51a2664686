"""What the service says in Vietnamese: every sentence that a page can show has its translation."""

import ast
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_core._pydantic_core import list_all_errors

from service.sentences import LONGEST, PAIRS, PLACE, WORDS, fields, in_vietnamese
from vision.sources import mask_address

ROOT = Path(__file__).parents[2]

ELSEWHERE = {
    "programs": """
        service/api/documents.py service/api/routes/feeds_metrics.py service/api/routes/feeds_ngsi.py
        service/api/routes/feeds_public.py service/api/routes/workers.py service/auth/settings.py
        service/feeds service/live/messages.py service/storage/write.py
    """,
    "the log": """
        service/api/live_child.py service/live/children.py service/live/process.py service/live/publish.py
        service/storage/drain.py
    """,
    "has both languages itself": """
        service/alarms/words.py service/coverage service/dashboard service/doctor service/reports/words.py
        service/reports/xlsx.py service/sentences
    """,
    "the command line": """
        service/batch service/cli.py service/cluster service/command_line.py service/demo.py
        service/demo_chain.py service/imports service/live/supervisor.py service/registry/entries.py
        service/registry/merging.py service/registry/planning.py service/registry/reading.py
        service/registry/sight.py service/registry/writing.py service/reports/load.py
        service/reports/terminal.py service/run.py service/serve_demo.py service/storage/backup.py
        service/storage/check.py service/storage/migrations service/storage/retention.py
        vision/accuracy.py vision/density/factors.py vision/detection/adopt.py
    """,
    "the database": "service/storage/conditions.py",
    "a page of its own": "service/tally",
    "mistakes of the program": """
        vision/density/estimator.py vision/density/records.py vision/incidents vision/pipeline.py
        vision/sparing.py vision/tracking.py
    """,
    "pictures": "vision/ground_grid.py vision/overlay",
}
"""Files and folders whose sentences reach no page, by who reads them instead; ``…_cli.py`` are such, too."""

NOT_TOLD = {
    # mistakes of the program
    "a crossing at {} lies in none of the bins",
    "a crossing lies in none of the bins",
    "a junction has approaches",
    "a picture is uint8[H, W, 3], not {}{}",
    "a picture of {}x{}, expected {}",
    "a record is not of the interval {} to {}",
    "an hour has four quarters",
    "segment {} was never announced",
    "the video is closed",
    "{} has no time zone; moments are kept in UTC",
    "{} has no view to count with",
    "{}: the route does not say who may call it; add Depends(require(role)), Depends(worker_only) or "
    "Depends(public)",
    # the log and the command line
    "the database refused {} messages; see the table 'rejected' in the outbox",
    "the outbox holds {} of {} bytes; see that the database is reached",
    "the outbox's disk has only {} bytes free",
    "{} crossings of camera {} are in {}",
    # no sentences
    "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
    "-c jit=off -c timezone=UTC",
    "Proposed from what moves in {}. Edit it, then: ngatu recount TRACKS VIEW",
    "disk is full",
    "img-src 'self'",
    "no websockets here",
    "view of camera {}",
}
"""Texts within other files that no page shows."""

SILENT = re.compile(r"\b(log\.\w+|text|strftime|Field|Query|Path|Body|Header)$")
"""Calls whose texts are no sentences: of the log, of SQL, of the description of the interface."""
WORD = re.compile(r"\b[a-z][a-z']+")
SQL = re.compile(
    r"(SELECT|INSERT|DELETE|CREATE|UPDATE|PRAGMA|COPY|BEGIN|FROM|ALTER) |private, no-cache|multipart/"
)


def skeleton(sentence: str) -> str:
    """A sentence whose places have no names."""
    return PLACE.sub("{}", sentence)


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and skeleton of every text below a node that somebody may be told."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return  # what a function says of itself
        case ast.Call() if SILENT.search(ast.unparse(node.func)):
            return
        case ast.Constant(value=str() as text):
            yield node.lineno, skeleton(text)
        case ast.JoinedStr():
            pieces = [
                skeleton(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values
            ]
            yield node.lineno, "".join(pieces)
            for each in node.values:
                if isinstance(each, ast.FormattedValue):
                    yield from texts(each.value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from texts(child)


def told(path: Path) -> Iterator[tuple[int, str]]:
    """Line and skeleton of every text within the functions of a file, and in its tables of problems."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                yield from texts(statement)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("PROBLEMS"):
            yield from texts(node.value)


def titles(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of the title of every problem that a file raises."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Problem" and len(call.args) > 1:
            yield from texts(call.args[1])


def is_elsewhere(name: str) -> bool:
    places = " ".join(ELSEWHERE.values()).split()
    return name.endswith("_cli.py") or any(f"{name}/".startswith(f"{each}/") for each in places)


SOURCES = {
    name: path
    for folder in ("service", "vision")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not is_elsewhere(name := str(path.relative_to(ROOT)))
}
KNOWN = {skeleton(english) for english, _ in PAIRS}
WORDS_KNOWN = {word for words in WORDS.values() for word in words}


def endings(text: str) -> list[str]:
    """A text, and what is left of it without the names of what it is about."""
    marks = [mark.end() for mark in re.finditer(": ", text.partition("; ")[0])]
    return [text, *(text[at:] for at in marks)]


def missing(name: str) -> list[str]:
    found = [each for each in told(SOURCES[name]) if is_sentence(each[1])]
    return [
        f"{name}:{line}: {text}"
        for line, text in dict.fromkeys([*found, *titles(SOURCES[name])])
        if text not in NOT_TOLD | WORDS_KNOWN and not KNOWN.intersection(endings(text))
    ]


def is_sentence(text: str) -> bool:
    """Whether a text has three words or more, and is neither SQL nor a header."""
    return " " in text and len(WORD.findall(text)) > 2 and not SQL.match(text)


def test_every_sentence_that_a_page_can_show_has_its_translation() -> None:
    """Add what is missing to service/sentences; what no page shows, to the lists above."""
    found = [line for name in SOURCES for line in missing(name)]
    assert not found, "\n".join(found)


def test_no_sentence_is_translated_that_nobody_says_any_more() -> None:
    said = {
        ending
        for path in SOURCES.values()
        for _, text in [*told(path), *titles(path)]
        for ending in endings(text)
    }
    library = {skeleton(english) for english, _ in fields.PAIRS}
    found = sorted(KNOWN - said - library)
    assert not found, "\n".join(found)


def test_both_languages_have_the_same_places() -> None:
    for english, vietnamese in PAIRS:
        places = PLACE.findall(english)
        assert len(places) == len(set(places)), english
        assert set(PLACE.findall(vietnamese)) <= set(places), vietnamese
        # A sentence in a sentence would be lost without its place.
        assert {each for each in places if each.endswith("problem")} <= set(PLACE.findall(vietnamese))


def test_no_sentence_hides_another() -> None:
    for english, vietnamese in PAIRS:
        made, wanted = (PLACE.sub(r"\1!", each) for each in (english, vietnamese))
        assert in_vietnamese(made) == wanted
        assert in_vietnamese(mask_address(made)) == wanted, "its example of an address may be masked"


UNUSED = re.compile(
    "(argument|bytes|callable|complex|counter|dataclass|decimal|default_factory|deque|ellipsis|fraction|frozen|"
    "get_attribute|is_|iter|mapping|missing_|model_attributes|multiple_argument|named|needs|no_such|ordered|"
    "recursion|set_|time_|unexpected|union|url|assertion|invalid_key|json_type|enum|date_past|date_future|"
    "datetime_past|datetime_future|timezone_naive|timezone_offset|string_not_ascii|uuid_version)"
)
"""Errors of types and bounds that no field or parameter of ours has."""


@pytest.mark.parametrize("kind", ["message_template_python", "message_template_json"])
def test_what_pydantic_says_has_its_translation(kind: str) -> None:
    known = {english for english, _ in fields.PAIRS}
    rest = {skeleton(each) for each in known}
    said = [each.get(kind) for each in list_all_errors() if not UNUSED.match(each["type"])]
    assert [each for each in said if each and skeleton(each) not in rest] == []


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        (
            "query.start: Input should have timezone info",
            "query.start: thời điểm cần kèm múi giờ, ví dụ +07:00",
        ),
        (
            "body.login: Value error, a text here holds no zero byte",
            "body.login: văn bản không được chứa ký tự rỗng",
        ),
        (
            "rtsp://***@10.0.0.5/1 cannot be opened: the camera has no such stream; check the path of "
            "the address.",
            "không mở được rtsp://***@10.0.0.5/1: camera không có luồng hình này; hãy kiểm tra đường "
            "dẫn trong địa chỉ.",
        ),
        (
            "chợ.mp4 is not taken: it is empty: copy it again from the recorder.",
            "không nhận chợ.mp4: tệp này trống: hãy chép lại từ đầu ghi.",
        ),
        (
            "manual.csv: line 3: count: 'x' is no number of vehicles; leave it empty where nobody counted",
            "manual.csv: dòng 3: count: 'x' không phải số xe; hãy để trống nơi không đếm",
        ),
        (
            "12.5% of the picture is overexposed and glare hides the rest; no speeds and densities: the "
            "points determine no mapping; spread them over the road, not along a line",
            "12,5% khung hình bị quá sáng và phần còn lại bị chói; không có vận tốc và mật độ: các điểm chưa "
            "đủ để xác định mặt đường; hãy rải các điểm ra, đừng nằm trên một đường thẳng",
        ),
        ("this needs the role engineer; an is viewer", "việc này cần vai trò kỹ sư; an là người xem"),
        (
            "alarm jam, setting raise_after_s: input should be greater than 0",
            "cảnh báo jam, ngưỡng raise_after_s: phải lớn hơn 0",
        ),
        (
            "it holds a password in clear; write ${NAME} in its place and set NAME in the environment",
            "địa chỉ có mật khẩu ở dạng rõ; hãy ghi ${NAME} thay vào và đặt NAME trong biến môi trường",
        ),
        ("what nobody has written", "what nobody has written"),
        ("", ""),
    ],
)
def test_a_made_sentence_is_known_again(english: str, vietnamese: str) -> None:
    assert in_vietnamese(english) == vietnamese


def test_nobodys_text_takes_long() -> None:
    """Whoever may fill a place could write what nearly matches, again and again."""
    began = time.process_time()
    for english, _ in PAIRS:
        first, *rest = PLACE.split(english)[::2]
        in_vietnamese(f"{(first + (' '.join(rest) or first) * LONGEST)[: LONGEST - 1]}~")
    for mark in (": ", "; ", "options: ", "x is not taken: "):
        in_vietnamese((mark * LONGEST)[:LONGEST])
    assert time.process_time() - began < 10
