"""The words of coverage, in English and Vietnamese."""

import math
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from service.coverage.gaps import Reason
from service.coverage.pace import SHORTEST, Reach

Language = Literal["en", "vi"]

_WORDS: dict[str, tuple[str, str]] = {
    "title_at": ("Coverage of key sites at {at}", "Mức độ giám sát các điểm trọng điểm lúc {at}"),
    "title_over": (
        "Coverage of key sites from {start} to {end}",
        "Mức độ giám sát các điểm trọng điểm từ {start} đến {end}",
    ),
    "junction": ("key junctions", "nút giao trọng điểm"),
    "public_area": ("key public areas", "khu vực công cộng trọng điểm"),
    "one_junction": ("junction", "nút giao"),
    "one_public_area": ("public area", "khu vực công cộng"),
    "kind": ("kind", "loại"),
    "sites": ("sites", "số điểm"),
    "installed": ("installed", "có camera"),
    "operational": ("operational", "đang có hình"),
    "effective": ("effective", "giám sát được"),
    "time_weighted": ("time-weighted", "theo thời gian"),
    "target": ("target", "mục tiêu"),
    "period": ("period", "thời gian"),
    "start": ("start", "từ"),
    "end": ("end", "đến"),
    "figures": ("Figures", "Chỉ tiêu"),
    "history": ("History", "Diễn biến"),
    "gaps": ("Gaps", "Điểm chưa đạt"),
    "gaps_title": (
        "Not covered: {some} of {all} key sites, those soonest put right first",
        "Chưa giám sát được: {some} trên {all} điểm trọng điểm, dễ khắc phục trước",
    ),
    "illustrative": (
        "ILLUSTRATIVE: {some} of {all} key sites are of the sample city and not real",
        "MINH HỌA: {some} trên {all} điểm trọng điểm thuộc thành phố mẫu, không có thật",
    ),
    "no_gaps": ("Every key site is covered.", "Mọi điểm trọng điểm đều được giám sát."),
    "site": ("site", "điểm"),
    "name": ("name", "tên"),
    "ward": ("ward", "phường/xã"),
    "reason": ("why", "lý do"),
    "next_step": ("next step", "việc nên làm trước"),
    "about_installed": ("has a camera", "đã lắp camera"),
    "about_operational": ("and fresh frames come from it", "và đang nhận được hình mới"),
    "about_effective": (
        "and the picture is good, every required approach in a drawn view; the target is set on this",
        "và hình tốt, mọi nhánh bắt buộc nằm trong vùng đã vẽ; mục tiêu đặt cho chỉ tiêu này",
    ),
    "about_time_weighted": (
        "share of required approach-seconds that were observed",
        "tỷ lệ số giây cần quan sát của các nhánh đã được quan sát",
    ),
    "last_day": (", in the 24 hours before", ", trong 24 giờ trước đó"),
    "outlook": (
        "{kind}: {target} not reached; {text}",
        "{kind}: chưa đạt {target}; {text}",
    ),
}

_WHY: dict[str, tuple[str, str]] = {
    "no_camera": ("no camera", "chưa có camera"),
    "no_approaches": ("no approach is recorded", "chưa khai báo nhánh nào"),
    "no_view": ("{camera}: no view drawn", "{camera}: chưa vẽ vùng quan sát"),
    "unknown_approach": (
        "{camera}: its view names {approaches}, which the junction does not have",
        "{camera}: vùng đã vẽ ghi nhánh {approaches}, nút giao không có nhánh này",
    ),
    "not_in_view": ("in no view: {approaches}", "không nằm trong vùng quan sát nào: {approaches}"),
    "offline": ("{camera}: no picture since {since}", "{camera}: mất hình từ {since}"),
    "never_seen": ("{camera}: no picture yet", "{camera}: chưa từng có hình"),
    "frozen": ("{camera}: picture frozen since {since}", "{camera}: hình đứng từ {since}"),
    "moved": ("{camera}: moved since {since}", "{camera}: bị xoay lệch từ {since}"),
    "dark": ("{camera}: too dark since {since}", "{camera}: quá tối từ {since}"),
    "blinded": ("{camera}: blinded by light since {since}", "{camera}: bị chói từ {since}"),
    "blurred": ("{camera}: blurred since {since}", "{camera}: hình mờ từ {since}"),
    "blocked": ("{camera}: blocked since {since}", "{camera}: bị che từ {since}"),
}

_STEPS: dict[str, tuple[str, str]] = {
    "no_camera": ("install a camera", "lắp camera"),
    "no_approaches": ("record the approaches to be seen", "khai báo các nhánh phải quan sát"),
    "no_view": ("draw a view for {camera}", "vẽ vùng quan sát cho {camera}"),
    "unknown_approach": (
        "correct the name of {approaches} in the view of {camera}, or add the approach",
        "sửa tên nhánh {approaches} trong vùng đã vẽ của {camera}, hoặc khai báo thêm nhánh",
    ),
    "not_in_view": (
        "draw {approaches} in the view of {camera}, or add a camera",
        "vẽ thêm {approaches} trong vùng quan sát của {camera}, hoặc thêm camera",
    ),
    "offline": ("check power and network of {camera}", "kiểm tra nguồn và mạng của {camera}"),
    "never_seen": ("connect {camera}", "kết nối {camera}"),
    "frozen": ("restart {camera}", "khởi động lại {camera}"),
    "moved": ("turn {camera} back or draw its view anew", "xoay lại {camera} hoặc vẽ lại vùng quan sát"),
    "dark": ("check light and exposure at {camera}", "kiểm tra ánh sáng, phơi sáng của {camera}"),
    "blinded": ("shade {camera} or check its exposure", "che nắng, chỉnh phơi sáng của {camera}"),
    "blurred": ("clean and focus {camera}", "lau kính, chỉnh nét {camera}"),
    "blocked": ("clear the sight of {camera}", "dọn vật che trước {camera}"),
}

_PACE: dict[str, tuple[str, str]] = {
    "date": (
        "at the pace of the last {days} days ({pace} points a day) reached on {date}",
        "với tốc độ của {days} ngày qua ({pace} điểm % mỗi ngày), đạt vào ngày {date}",
    ),
    "reached": ("reached", "đã đạt"),
    "no_sites": ("there is no key site", "không có điểm trọng điểm nào"),
    "short_history": (
        "no date: only {days} whole days of history, {shortest} are needed",
        "chưa dự báo được: mới có {days} ngày đủ dữ liệu, cần {shortest} ngày",
    ),
    "no_progress": (
        "no date: no progress in the last {days} days ({pace} points a day)",
        "không dự báo được: {days} ngày qua không tiến triển ({pace} điểm % mỗi ngày)",
    ),
    "uncertain": (
        "no date: the pace of the last {days} days ({pace} points a day) is lost in its ups and downs",
        "không dự báo được: tốc độ {days} ngày qua ({pace} điểm % mỗi ngày) lẫn trong dao động",
    ),
    "too_far": (
        "no date: at the present pace ({pace} points a day) it takes more than five years",
        "không dự báo: với tốc độ hiện nay ({pace} điểm % mỗi ngày) phải hơn năm năm",
    ),
}


def say(key: str, language: Language, **values: object) -> str:
    """A word or sentence."""
    return _in(_WORDS[key], language).format(**values)


def why(reason: Reason, language: Language, tz: str, site: str = "") -> str:
    """What stands in the way, in words; beside the name of ``site`` a camera's need not repeat it."""
    return _filled(_WHY[reason.code], reason, language, tz, site)


def next_step(reason: Reason, language: Language, tz: str, site: str = "") -> str:
    """What to do about it."""
    return _filled(_STEPS[reason.code], reason, language, tz, site)


def outlook(found: Reach, language: Language, tz: str) -> str:
    """When the target is reached, or why that is not known."""
    pace = None if found.pace is None else number(100 * found.pace, 2, language, sign=True)
    date = None if found.date is None else datetime.fromtimestamp(found.date, ZoneInfo(tz)).date().isoformat()
    text = _in(_PACE[found.obstacle or "date"], language)
    return text.format(days=found.days, pace=pace, date=date, shortest=SHORTEST)


def percent(share: float | None, language: Language) -> str:
    """A share in per cent, never rounded up: 99.97 % is not the target of 100 %."""
    if share is None:
        return "–"
    # The small addition keeps 0.29, which is a little less than 29/100 in binary, at 29.0.
    return f"{number(math.floor(share * 1000 + 1e-9) / 10, 1, language)} %"


def number(value: float, decimals: int, language: Language, sign: bool = False) -> str:
    """A number with the language's decimal sign."""
    text = f"{value:{'+' if sign else ''}.{decimals}f}"
    return text.replace(".", ",") if language == "vi" else text


def clock(time: float, tz: str) -> str:
    """A moment by the local clock, to the minute."""
    return datetime.fromtimestamp(time, ZoneInfo(tz)).strftime("%Y-%m-%d %H:%M")


def _filled(words: tuple[str, str], reason: Reason, language: Language, tz: str, site: str) -> str:
    since = "?" if reason.since is None else clock(reason.since, tz)
    names = ", ".join(reason.approaches)
    camera = reason.camera.removeprefix(f"{site}-") if site else reason.camera
    return _in(words, language).format(camera=camera, since=since, approaches=names)


def _in(words: tuple[str, str], language: Language) -> str:
    return words[0 if language == "en" else 1]
