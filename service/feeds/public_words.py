"""The words of the public page, the radio text and message boards, Vietnamese and English."""

from typing import Literal

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Tình hình giao thông tại các nút giao", "Traffic at the junctions"),
    "map": ("Bản đồ các nút giao", "Map of the junctions"),
    "list": ("Danh sách các nút giao", "List of the junctions"),
    "junction": ("Nút giao", "Junction"),
    "ward": ("Phường, xã", "Ward"),
    "level": ("Mức độ", "Level"),
    "as_of": ("Lúc {time}, {date}", "At {time}, {date}"),
    "as_of_short": ("lúc {time}", "at {time}"),
    "level_free": ("Thông thoáng", "Free"),
    "level_busy": ("Đông xe", "Busy"),
    "level_slow": ("Đi chậm", "Slow"),
    "level_jammed": ("Ùn tắc", "Jammed"),
    "level_none": ("Chưa có số liệu", "No data"),
    "other": ("English", "Tiếng Việt"),
    "illustrative": (
        "Dữ liệu minh họa, không phải số liệu thật của thành phố.",
        "Illustrative data, not real figures of the city.",
    ),
    "none_public": ("Chưa có nút giao nào được công bố.", "No junction is published yet."),
    "about": (
        "Đo tự động từ camera giao thông; không lưu hình ảnh, không nhận dạng người hay biển số.",
        "Measured automatically by traffic cameras; no picture is kept, nobody and no plate is identified.",
    ),
    "data": ("Dữ liệu mở", "Open data"),
    "radio": ("Bản tin phát thanh", "Text for radio"),
    "board": ("Bảng điện tử", "Message boards"),
    "late": (
        "Không cập nhật được; số liệu có thể đã cũ.",
        "It could not be updated; this may be old.",
    ),
    "radio_begin": (
        "Tình hình giao thông lúc {time} ngày {date}.",
        "Traffic at {time} on {date}.",
    ),
    "radio_free": ("{count} nút giao thông thoáng.", "{count} junctions are free."),
    "radio_unknown": ("{count} nút giao chưa có số liệu.", "Of {count} junctions nothing is known."),
    "no_jams": ("Không ghi nhận ùn tắc.", "No jams are observed."),
    "no_data": ("Hiện chưa có số liệu.", "There is no data now."),
    "board_jammed": ("Ùn tắc", "Jam"),
    "board_slow": ("Đi chậm", "Slow"),
    "board_no_jams": ("Không ghi nhận ùn tắc", "No jams observed"),
    "board_no_data": ("Chưa có số liệu", "No data"),
}
"""Vietnamese and English text by key; ``{name}`` in it is filled in."""


def say(key: str, language: Language, **values: object) -> str:
    """A text in a language.

    Example:
        >>> say("level_jammed", "en")
        'Jammed'
    """
    text = WORDS[key][LANGUAGES.index(language)]
    return text.format(**values) if values else text
