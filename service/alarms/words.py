"""The words of alarms, in English and Vietnamese: what it is called, what it means, what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from service.alarms.rules import AlarmKind, Severity
from service.sentences import in_vietnamese

Language = Literal["en", "vi"]
LANGUAGES: tuple[Language, ...] = ("en", "vi")


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind of alarm is called, what it means and what to do."""

    title: str
    meaning: str
    action: str


_EN: Mapping[AlarmKind, Words] = {
    "jam": Words(
        "Traffic jam",
        "The approach has been jammed for longer than a red light lasts.",
        "Look at the live picture; if it lasts, adapt the signal or send somebody.",
    ),
    "queue_spillback": Words(
        "Queue beyond its limit",
        "The queue reaches beyond the camera's view or the set length, also while the light is green.",
        "See that it does not block the junction before; give this approach more green.",
    ),
    "stopped_vehicle": Words(
        "Vehicle stopped in a no-stop zone",
        "A vehicle has been standing where none may stop.",
        "Look at the live picture: a breakdown, an accident, or somebody who parks?",
    ),
    "wrong_way": Words(
        "Wrong way",
        "A vehicle drove against the direction of a one-way gate.",
        "Look at the live picture, and warn or send somebody if it drives on.",
    ),
    "blocked_junction": Words(
        "Junction blocked",
        "Vehicles stand in the middle of the junction and nobody gets through.",
        "Send somebody to regulate the traffic; hold back the approaches that feed it.",
    ),
    "camera_lost": Words(
        "Camera lost",
        "No frames come from this camera; nothing is counted, and its figures are unknown, not zero.",
        "Check power and network at the camera, then its address and password.",
    ),
    "camera_frozen": Words(
        "Picture frozen",
        "The camera sends the same picture over and over.",
        "Restart the camera or its recorder.",
    ),
    "camera_moved": Words(
        "Camera moved",
        "The camera shows another piece of road than its view was drawn on, so its counts are not valid.",
        "Turn it back, or draw its view anew and confirm it.",
    ),
    "camera_picture": Words(
        "Bad picture",
        "The picture is too dark, blinded, blocked or blurred to count by.",
        "Look at the picture: clean the lens, cut what blocks it, check light and focus.",
    ),
    "worker_gone": Words(
        "Worker gone",
        "A process that analyses cameras does not report any more; its cameras' figures are unknown.",
        "See whether its machine runs and reaches the service; a process that died starts again by itself.",
    ),
    "outbox_growing": Words(
        "Results wait for the database",
        "What is measured is kept in the worker's outbox because the database does not take it.",
        "See that the database runs, is reached and has space; nothing is lost until the outbox is full.",
    ),
    "disk_low": Words(
        "Disk nearly full",
        "Soon nothing more can be written on this disk.",
        "Delete what is not needed, shorten retention, or give it more space.",
    ),
}

_VI: Mapping[AlarmKind, Words] = {
    "jam": Words(
        "Ùn tắc",
        "Nhánh này đã ùn tắc lâu hơn một pha đèn đỏ.",
        "Xem hình trực tiếp; nếu kéo dài, điều chỉnh đèn tín hiệu hoặc cử người đến.",
    ),
    "queue_spillback": Words(
        "Hàng chờ vượt giới hạn",
        "Hàng chờ dài quá tầm nhìn của camera hoặc chiều dài đã đặt, cả khi đèn xanh.",
        "Chú ý để không chặn nút giao phía trước; tăng thời gian xanh cho nhánh này.",
    ),
    "stopped_vehicle": Words(
        "Xe dừng trong vùng cấm dừng",
        "Một xe đang đứng ở nơi không được dừng.",
        "Xem hình trực tiếp: xe hỏng, tai nạn hay đỗ trái phép?",
    ),
    "wrong_way": Words(
        "Đi ngược chiều",
        "Một xe đã qua vạch đếm một chiều theo hướng ngược lại.",
        "Xem hình trực tiếp; cảnh báo hoặc cử người đến nếu xe vẫn đi tiếp.",
    ),
    "blocked_junction": Words(
        "Nút giao bị chặn",
        "Xe đứng kín giữa nút giao, không ai đi qua được.",
        "Cử người đến điều tiết; giữ bớt xe ở các nhánh dẫn vào.",
    ),
    "camera_lost": Words(
        "Mất tín hiệu camera",
        "Không nhận được hình từ camera này; không đếm được, số liệu là chưa biết chứ không phải bằng 0.",
        "Kiểm tra nguồn điện và mạng tại camera, sau đó địa chỉ và mật khẩu.",
    ),
    "camera_frozen": Words(
        "Hình bị đứng",
        "Camera gửi lặp lại cùng một hình.",
        "Khởi động lại camera hoặc đầu ghi.",
    ),
    "camera_moved": Words(
        "Camera bị lệch",
        "Camera nhìn vào đoạn đường khác với lúc vẽ vùng nhìn, nên số đếm không còn đúng.",
        "Xoay camera về vị trí cũ, hoặc vẽ lại vùng nhìn rồi xác nhận.",
    ),
    "camera_picture": Words(
        "Hình xấu",
        "Hình quá tối, bị lóa, bị che hoặc bị mờ nên không đếm được.",
        "Xem hình: lau ống kính, bỏ vật che, kiểm tra ánh sáng và tiêu cự.",
    ),
    "worker_gone": Words(
        "Tiến trình phân tích ngừng báo",
        "Một tiến trình phân tích camera không còn báo về; số liệu các camera của nó là chưa biết.",
        "Kiểm tra máy đó có chạy và nối được với dịch vụ không; tiến trình hỏng sẽ tự khởi động lại.",
    ),
    "outbox_growing": Words(
        "Kết quả đang chờ cơ sở dữ liệu",
        "Kết quả đo được giữ tạm tại máy phân tích vì cơ sở dữ liệu chưa nhận.",
        "Kiểm tra cơ sở dữ liệu có chạy, nối được và còn chỗ; chưa mất gì cho đến khi bộ nhớ tạm đầy.",
    ),
    "disk_low": Words(
        "Ổ đĩa sắp đầy",
        "Sắp không ghi thêm được gì lên ổ đĩa này.",
        "Xóa những gì không cần, giảm thời gian lưu trữ, hoặc thêm dung lượng.",
    ),
}

_SEVERITIES: Mapping[Severity, tuple[str, str]] = {
    "information": ("information", "thông tin"),
    "warning": ("warning", "cảnh báo"),
    "critical": ("critical", "khẩn cấp"),
}

_WHY: Mapping[str, tuple[str, str]] = {
    "over": ("It is over.", "Đã hết."),
    "excluded": ("The period is excluded from reports.", "Khoảng thời gian này được loại khỏi báo cáo."),
    "rule_disabled": ("Alarms of this kind were switched off.", "Loại cảnh báo này đã được tắt."),
    "not_observed": ("Nothing has been known of it for a day.", "Không có thông tin suốt một ngày."),
}

_FIGURES: Mapping[str, tuple[str, str]] = {
    "level": ("level {}", "mức {}"),
    "space_mean_speed_kmh": ("{:.0f} km/h", "{:.0f} km/h"),
    "queue_m": ("queue {:.0f} m", "hàng chờ {:.0f} m"),
    "threshold_m": ("limit {:.0f} m", "giới hạn {:.0f} m"),
    "place": ("at {}", "tại {}"),
    "reason": ("{}", "{}"),
    "worker": ("worker {}", "tiến trình {}"),
    "host": ("machine {}", "máy {}"),
    "waiting": ("{} messages wait", "{} bản tin đang chờ"),
    "reopened": ("came back {} times", "lặp lại {} lần"),
}
"""How details are told, in this order."""


_LEVELS = {"free": "thông thoáng", "busy": "đông xe", "slow": "đi chậm", "jammed": "ùn tắc"}
"""Levels of an approach in Vietnamese; bands by density are letters in any language."""


def words_of(kind: AlarmKind, language: Language) -> Words:
    """What a kind of alarm is called, what it means and what to do."""
    return (_VI if language == "vi" else _EN)[kind]


def severity_word(severity: Severity, language: Language) -> str:
    """How urgent it is, in a word."""
    return _SEVERITIES[severity][language == "vi"]


def told(details: Mapping[str, Any], language: Language) -> str:
    """What was measured, in some words: ``level jammed, 4 km/h, queue 62 m``; empty where nothing was.

    Example:
        >>> told({"level": "jammed", "space_mean_speed_kmh": 4.2}, "en")
        'level jammed, 4 km/h'
    """
    parts = []
    for name, forms in _FIGURES.items():
        value = details.get(name)
        if value not in (None, ""):
            if name == "level" and language == "vi":
                value = _LEVELS.get(value, value)
            if name == "reason" and language == "vi":
                value = in_vietnamese(value)
            parts.append(forms[language == "vi"].format(value))
    return ", ".join(parts)


def why_cleared(details: Mapping[str, Any], language: Language) -> str:
    """Why it was cleared, in a sentence; empty while it is open."""
    forms = _WHY.get(str(details.get("cleared_because", "")))
    return forms[language == "vi"] if forms else ""
