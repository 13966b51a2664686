"""What ``ngatu doctor`` says, in English and Vietnamese: what was found, and what to do."""

from typing import Literal

from service.doctor import Finding, State
from service.sentences import in_vietnamese

Language = Literal["en", "vi"]
Words = tuple[str, str]

_STATES: dict[State, Words] = {
    "ok": ("ok", "tốt"),
    "attention": ("attention", "lưu ý"),
    "fault": ("fault", "lỗi"),
}
_CHECKS: dict[str, Words] = {
    "model": ("model", "mô hình"),
    "decoder": ("decoder", "giải mã"),
    "database": ("database", "CSDL"),
    "outbox": ("outbox", "hàng đợi"),
    "disk": ("disk", "ổ đĩa"),
    "clock": ("clock", "đồng hồ"),
    "camera": ("camera", "camera"),
    "view": ("view", "vùng quan sát"),
}
_DISK: Words = (
    "{daily} a day for {approaches} approaches (reckoned with {crossings} crossings a day, kept {kept} days) "
    "and {short} for minutes and 10 seconds",
    "mỗi ngày cần {daily} cho {approaches} nhánh (tính với {crossings} lượt qua mỗi ngày, giữ {kept} ngày) "
    "và {short} cho dữ liệu theo phút và 10 giây",
)
_PROBLEM: Words = ("{problem}", "{problem}")

_FOUND: dict[str, Words] = {
    "model_ok": (
        "{name}: weights as on the card (sha256 {sha256:.12}…), {ms} ms a picture of {size} on {provider}",
        "{name}: trọng số đúng với thẻ (sha256 {sha256:.12}…), {ms} ms một ảnh {size} trên {provider}",
    ),
    "model_slow": (
        "{name}: {ms} ms a picture of {size} on {provider}; ten pictures a second leave 100 ms",
        "{name}: {ms} ms một ảnh {size} trên {provider}; 10 ảnh một giây chỉ có 100 ms mỗi ảnh",
    ),
    "model_built_in": (
        "{name} is built in and has no weights to check",
        "{name} có sẵn trong chương trình, không có trọng số cần kiểm tra",
    ),
    "model_fault": _PROBLEM,
    "decoder_ok": (
        "FFmpeg (PyAV {pyav}) decodes the sample clip: {frames} frames, {codec} {size}",
        "FFmpeg (PyAV {pyav}) giải mã được đoạn mẫu: {frames} khung hình, {codec} {size}",
    ),
    "decoder_short": (
        "FFmpeg (PyAV {pyav}) gave only {frames} frames of the sample clip",
        "FFmpeg (PyAV {pyav}) chỉ giải mã được {frames} khung hình của đoạn mẫu",
    ),
    "decoder_fault": ("FFmpeg (PyAV {pyav}): {problem}", "FFmpeg (PyAV {pyav}): {problem}"),
    "database_absent": (
        "{address}: there is no database yet",
        "{address}: chưa có cơ sở dữ liệu",
    ),
    "database_ok": (
        "{address}: schema {revision}, {size}; a row was written and taken back",
        "{address}: lược đồ {revision}, {size}; đã ghi thử một dòng và hoàn lại",
    ),
    "database_schema": (
        "{address}: schema {revision}, this program needs {newest}",
        "{address}: lược đồ {revision}, chương trình này cần {newest}",
    ),
    "database_no_write": (
        "{address} can be read, but not written: {problem}",
        "{address} đọc được nhưng không ghi được: {problem}",
    ),
    "database_fault": _PROBLEM,
    "outbox_none": (
        "nothing waits: no outbox.db below {folder}",
        "không có gì chờ: không có outbox.db trong {folder}",
    ),
    "outbox_ok": (
        "{file}: nothing waits, room for {room}",
        "{file}: không có gì chờ, còn chỗ cho {room}",
    ),
    "outbox_waiting": (
        "{file}: {waiting} messages wait for the database, the oldest of {oldest}; room for {room}",
        "{file}: {waiting} bản tin chờ ghi vào CSDL, cũ nhất lúc {oldest}; còn chỗ cho {room}",
    ),
    "outbox_rejected": (
        "{file}: the database refused {rejected} messages",
        "{file}: CSDL từ chối {rejected} bản tin",
    ),
    "outbox_full": (
        "{file} is full: {waiting} messages wait, the oldest of {oldest}; what is measured now is lost",
        "{file} đã đầy: {waiting} bản tin đang chờ, cũ nhất lúc {oldest}; dữ liệu đo lúc này bị mất",
    ),
    "outbox_fault": _PROBLEM,
    "disk_ok": (
        f"{{free}} free; {_DISK[0]}: enough for {{days}} days",
        f"còn trống {{free}}; {_DISK[1]}: đủ cho {{days}} ngày",
    ),
    "disk_remote": (
        f"{{free}} free here; the database's own disk is not seen from here. It needs {_DISK[0]}",
        f"ở đây còn trống {{free}}; không thấy được ổ đĩa của CSDL. CSDL {_DISK[1]}",
    ),
    "disk_not_known": (
        "{free} free; how much a day needs is known once the registry has approaches",
        "còn trống {free}; sẽ biết mỗi ngày cần bao nhiêu khi danh mục có các nhánh",
    ),
    "disk_full": ("only {free} free", "chỉ còn trống {free}"),
    "clock_ok": (
        "{now} in {tz} (this machine: {system}), kept on time",
        "{now} theo {tz} (máy này: {system}), được đồng bộ",
    ),
    "clock_not_known": (
        "{now} in {tz} (this machine: {system}); whether it is kept on time is not known here",
        "{now} theo {tz} (máy này: {system}); không rõ có được đồng bộ hay không",
    ),
    "clock_not_kept": (
        "{now} in {tz} (this machine: {system}); by the kernel nobody keeps it on time",
        "{now} theo {tz} (máy này: {system}); nhân hệ điều hành báo không được đồng bộ",
    ),
    "clock_wrong": (
        "{now} in {tz}: that is before this program was put here ({installed})",
        "{now} theo {tz}: sớm hơn lúc chương trình này được cài ({installed})",
    ),
    "clock_no_zone": ("time zone {tz} is not known here", "máy này không biết múi giờ {tz}"),
    "view_none": ("no view is drawn in the registry", "danh mục chưa có vùng quan sát nào"),
    "view_ok": (
        "{views} views show what their junctions need",
        "{views} vùng quan sát khớp với các nút giao",
    ),
    "view_unknown_approach": (
        "the view of {camera} names {approaches}, which {site} does not have",
        "vùng quan sát của {camera} ghi nhánh {approaches}, {site} không có nhánh này",
    ),
    "view_not_in_view": (
        "{site}: no view shows {approaches}, which must be seen",
        "{site}: không vùng quan sát nào có nhánh bắt buộc {approaches}",
    ),
    "view_owner_blind": (
        "{camera} owns {approaches} of {site}, which its view does not show: they have no figures",
        "{camera} phụ trách nhánh {approaches} của {site} nhưng vùng quan sát không có: không có số liệu",
    ),
    "view_no_owner": (
        "{site}: no camera owns {approaches}, so they have no figures",
        "{site}: chưa giao camera nào phụ trách nhánh {approaches}, nên không có số liệu",
    ),
    "view_no_metres": (
        "the view of {camera} gives no speed and density: {problem}",
        "vùng quan sát của {camera} không cho tốc độ và mật độ: {problem}",
    ),
    "view_more": ("{count} more findings of this kind ({code})", "còn {count} trường hợp như vậy ({code})"),
    "camera_ok": (
        "{camera}: {codec} {size}, first picture after {seconds} s",
        "{camera}: {codec} {size}, ảnh đầu tiên sau {seconds} giây",
    ),
    "camera_none": ("the registry has no camera", "danh mục chưa có camera"),
    "camera_not_asked": ("not asked: no registry can be read", "không kiểm tra: không đọc được danh mục"),
    "camera_no_address": (
        "{camera} has no address: only recordings of it can be counted",
        "{camera} chưa có địa chỉ: chỉ đếm được từ bản ghi",
    ),
    "camera_secret": ("{camera}: {problem}", "{camera}: {problem}"),
    "camera_fault": ("{camera}: {problem}", "{camera}: {problem}"),
}
_FOUND["disk_soon"] = _FOUND["disk_ok"]

_STEPS: dict[str, Words] = {
    "model_slow": (
        "analyse fewer frames a second (--fps), take a smaller model, or fewer cameras a machine",
        "phân tích ít khung hình hơn (--fps), dùng mô hình nhỏ hơn, hoặc ít camera hơn trên một máy",
    ),
    "model_fault": ("see: ngatu models list", "xem: ngatu models list"),
    "decoder_short": ("install ngatu again", "cài lại ngatu"),
    "decoder_fault": ("install ngatu again", "cài lại ngatu"),
    "database_absent": ("ngatu db upgrade makes it", "tạo bằng: ngatu db upgrade"),
    "database_schema": (
        "ngatu db backup, then ngatu db upgrade; update ngatu if a newer one made it",
        "ngatu db backup, rồi ngatu db upgrade; nếu do bản ngatu mới hơn tạo thì cập nhật ngatu",
    ),
    "database_no_write": (
        "give this user the right to write, or free disk space",
        "cấp quyền ghi cho người dùng này, hoặc giải phóng ổ đĩa",
    ),
    "database_fault": (
        "see that the database runs and that --db or NGATU_DB names it",
        "kiểm tra CSDL có đang chạy và --db hoặc NGATU_DB có đúng không",
    ),
    "outbox_waiting": (
        "if no worker is writing them now: ngatu db drain {file}",
        "nếu không có tiến trình nào đang ghi: ngatu db drain {file}",
    ),
    "outbox_rejected": (
        "read why in its table 'rejected'; they are kept",
        "xem lý do trong bảng 'rejected' của tệp; các bản tin vẫn được giữ",
    ),
    "outbox_full": (
        "see that the database is reached, then: ngatu db drain {file}",
        "kiểm tra kết nối CSDL, rồi: ngatu db drain {file}",
    ),
    "outbox_fault": ("name the folder of results with --results", "chỉ thư mục kết quả bằng --results"),
    "disk_full": (
        "free some space: ngatu db retention drops what has had its time",
        "giải phóng ổ đĩa: ngatu db retention xóa dữ liệu hết hạn",
    ),
    "disk_soon": (
        "give it a larger disk, or keep less: ngatu db retention --crossings-days",
        "dùng ổ đĩa lớn hơn, hoặc giữ ít hơn: ngatu db retention --crossings-days",
    ),
    "disk_remote": ("see that the server has room for it", "kiểm tra máy chủ có đủ chỗ"),
    "clock_not_kept": (
        "switch on chrony or systemd-timesyncd (in a virtual machine the host may keep it)",
        "bật chrony hoặc systemd-timesyncd (trong máy ảo có thể do máy chủ đồng bộ)",
    ),
    "clock_wrong": ("set the clock, or let chrony do it", "đặt lại đồng hồ, hoặc dùng chrony"),
    "clock_no_zone": (
        "name one such as Asia/Ho_Chi_Minh with --tz, or install the package tzdata",
        "chọn múi giờ như Asia/Ho_Chi_Minh bằng --tz, hoặc cài gói tzdata",
    ),
    "view_unknown_approach": (
        "correct the name in the view, or add the approach",
        "sửa tên trong vùng quan sát, hoặc khai báo thêm nhánh",
    ),
    "view_not_in_view": (
        "draw it in a view, add a camera, or write required: false",
        "vẽ thêm vào vùng quan sát, thêm camera, hoặc ghi required: false",
    ),
    "view_owner_blind": (
        "draw it in this camera's view, or name another owner",
        "vẽ thêm vào vùng quan sát của camera này, hoặc giao camera khác",
    ),
    "view_no_owner": ("name a camera in the field owner", "ghi tên camera vào trường owner"),
    "view_no_metres": ("ngatu view calibrate shows by how much", "xem: ngatu view calibrate"),
    "view_more": ("see: ngatu doctor --json", "xem: ngatu doctor --json"),
    "camera_none": ("ngatu city import brings cameras in", "nhập camera bằng: ngatu city import"),
    "camera_not_asked": ("put the database right first", "khắc phục CSDL trước"),
    "camera_no_address": (
        "write its address into the registry, see: ngatu city import",
        "ghi địa chỉ vào danh mục, xem: ngatu city import",
    ),
    "camera_fault": (
        "see its power and network, and its address and password in the registry",
        "kiểm tra nguồn, mạng, địa chỉ và mật khẩu của camera trong danh mục",
    ),
}

_ENDS: dict[str, Words] = {
    "well": ("no fault", "không có lỗi"),
    "faults": ("faults: {faults}", "số lỗi: {faults}"),
    "more": (
        "… and {count} more cameras like this, see --json",
        "… và {count} camera khác như vậy, xem --json",
    ),
    "cameras": ("{well} of {all} cameras send pictures", "{well} trên {all} camera đang gửi hình"),
}


def state_word(state: State, language: Language) -> str:
    """A state in words."""
    return _in(_STATES[state], language)


def check_word(check: str, language: Language) -> str:
    """What was looked at."""
    return _in(_CHECKS[check], language)


def found(finding: Finding, language: Language) -> str:
    """What was found, one sentence."""
    values = dict(finding.values)
    if language == "vi" and "problem" in values:
        values["problem"] = in_vietnamese(str(values["problem"]))
    return _in(_FOUND[finding.code], language).format(**values)


def step(finding: Finding, language: Language) -> str | None:
    """What to do about it; None where there is nothing to do, or the sentence says it already."""
    words = _STEPS.get(finding.code)
    return _in(words, language).format(**finding.values) if words else None


def say(key: str, language: Language, **values: object) -> str:
    """A sentence on all findings together."""
    return _in(_ENDS[key], language).format(**values)


def _in(words: Words, language: Language) -> str:
    return words[language == "vi"]
