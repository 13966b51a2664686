"""The words of reports, in English and Vietnamese."""

from typing import Literal

from service.reports.crossings import Note
from vision import VehicleClass

Language = Literal["en", "vi"]

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("TURNING-MOVEMENT COUNT", "KẾT QUẢ ĐẾM XE THEO HƯỚNG RẼ"),
    "gate_title": ("TRAFFIC COUNT", "KẾT QUẢ ĐẾM XE"),
    "site": ("Site", "Vị trí"),
    "date": ("Date", "Ngày"),
    "time_zone": ("Time zone", "Múi giờ"),
    "interval": ("Interval", "Khoảng đếm"),
    "from": ("From", "Từ"),
    "to": ("To", "Đến"),
    "all": ("All vehicles", "Tất cả các loại xe"),
    "total": ("Total", "Tổng"),
    "entering": ("Entering", "Vào nút"),
    "leaving": ("Leaving", "Ra khỏi nút"),
    "in": ("in", "vào"),
    "out": ("out", "ra"),
    "all_entering": ("Total entering", "Tổng vào nút"),
    "all_crossings": ("All crossings", "Tổng lượt qua"),
    "approach": ("Approach", "Nhánh"),
    "gate": ("Gate", "Mặt cắt"),
    "movement": ("Movement", "Hướng đi"),
    "class": ("Class", "Loại xe"),
    "observed": ("Observed", "Đã quan sát"),
    "status": ("Status", "Tình trạng"),
    "complete": ("complete", "đủ"),
    "partial": ("partial", "một phần"),
    "not_observed": ("not observed", "không quan sát"),
    "right": ("right", "rẽ phải"),
    "through": ("through", "đi thẳng"),
    "left": ("left", "rẽ trái"),
    "u_turn": ("U-turn", "quay đầu"),
    "peak": ("Peak hour", "Giờ cao điểm"),
    "volume": ("Volume", "Lưu lượng"),
    "phf": ("PHF", "PHF"),
    "pcu": ("PCU", "PCU"),
    "profile": ("By hour", "Theo giờ"),
    "matrix": ("Entry and exit", "Ma trận đi - đến"),
    "entry_exit": ("Entry \\ exit", "Vào \\ ra"),
    "all_followed": ("Followed", "Theo được"),
    "comparison": ("Comparison with a manual count", "So sánh với đếm tay"),
    "compared": ("What", "Đối tượng"),
    "manual": ("manual", "đếm tay"),
    "ours": ("ours", "hệ thống"),
    "bias": ("bias", "sai lệch"),
    "wape": ("WAPE", "WAPE"),
    "geh": ("GEH", "GEH"),
    "ratio": ("true per counted (95 %)", "thực / đếm được (95 %)"),
    "ratio_note": (
        "A count of N, made here at another time in like light and traffic, stands for N times the true per "
        "counted; the range is where that lies with 95 % confidence.",
        "N lượt đếm được ở đây vào lúc khác, trong điều kiện ánh sáng và giao thông tương tự, ứng với N nhân "
        "tỷ số thực / đếm được; khoảng trong ngoặc có độ tin cậy 95 %.",
    ),
    "geh_share": (
        "GEH below 5 in {share} of the hourly volumes by gate or movement (a usual mark is 85 %).",
        "GEH nhỏ hơn 5 ở {share} số lưu lượng giờ theo mặt cắt hoặc hướng đi (mức thường dùng: 85 %).",
    ),
    "matched": ("matched", "khớp"),
    "precision": ("precision", "độ chuẩn xác"),
    "recall": ("recall", "độ bao phủ"),
    "f1": ("F1", "F1"),
    "chance": ("chance", "ngẫu nhiên"),
    "class_right": ("class right", "đúng loại"),
    "events": ("Events within ±{window} s", "Sự kiện lệch không quá ±{window} s"),
    "chance_note": (
        "Chance is the F1 of as many counts at random times: only what lies above it was earned.",
        "Cột ngẫu nhiên là F1 của chừng ấy lượt đếm vào các thời điểm ngẫu nhiên: chỉ phần vượt trên mức này "
        "mới có ý nghĩa.",
    ),
    "notes": ("Notes", "Ghi chú"),
    "legend": (
        "Blue: peak hour. Yellow: interval observed in part. Grey and empty: not observed, which is not 0.",
        "Xanh: giờ cao điểm. Vàng: khoảng chỉ quan sát được một phần. Xám, để trống: không quan sát, "
        "không có nghĩa là 0.",
    ),
    "incomplete": (
        "{missing} of {all} intervals were not observed to the end; they take no part in the peak hour.",
        "{missing} trong {all} khoảng không được quan sát đầy đủ và không dùng để xác định giờ cao điểm.",
    ),
    "no_peak": (
        "No peak hour: no four consecutive quarters of an hour were observed to the end.",
        "Không có giờ cao điểm: không có bốn khoảng 15 phút liên tiếp nào được quan sát đầy đủ.",
    ),
    "peak_of_observed": (
        "The peak hour is that of the observed time; a busier one may lie in what was not observed.",
        "Giờ cao điểm chỉ tính trong thời gian quan sát; giờ đông hơn có thể nằm ngoài thời gian đó.",
    ),
    "followed": (
        "{followed} vehicles were followed from entry to exit, of {entered} that entered; the movements of "
        "the others are not known.",
        "{followed} xe được theo dõi từ lúc vào đến lúc ra, trong số {entered} xe vào nút; hướng đi của các "
        "xe còn lại không rõ.",
    ),
    "no_movements": (
        "The view draws no movements: the total adds up the crossings of all gates, so a vehicle that passes "
        "two gates is in it twice.",
        "Góc nhìn không khai báo hướng đi: tổng là số lượt qua mọi mặt cắt, nên xe qua hai mặt cắt được "
        "tính hai lần.",
    ),
    "unknown": (
        "The class of {count} vehicles is not known; in PCU each counts as the mean of the others.",
        "{count} xe không rõ loại; khi quy đổi, mỗi xe tính bằng trung bình các xe còn lại.",
    ),
    "factors": ("{unit} by {standard}.", "Quy đổi {unit} theo {standard}."),
    "factors_unchecked": (
        "{unit} by {standard}; the factors have not been compared with the printed standard.",
        "Quy đổi {unit} theo {standard}; các hệ số chưa được đối chiếu với bản in của tiêu chuẩn.",
    ),
    "span_assumed": (
        "{file}: no summary.json beside it tells what was observed; taken as observed from the first to the "
        "last crossing.",
        "{file}: không có summary.json đi kèm cho biết thời gian quan sát; coi như quan sát từ lượt qua đầu "
        "tiên đến lượt qua cuối cùng.",
    ),
    "no_view": (
        "{file}: its view was not found; the ends of movements were taken from the vehicles' crossings, "
        "turns are not known (--view gives them).",
        "{file}: không tìm thấy tệp góc nhìn; điểm đầu, cuối của hướng đi được suy từ các lượt qua của xe, "
        "không rõ chiều rẽ (dùng --view).",
    ),
    "view_changed": (
        "{file}: counted with version {counted} of the view, read with version {read}.",
        "{file}: đã đếm bằng phiên bản {counted} của góc nhìn, nhưng đọc bằng phiên bản {read}.",
    ),
    "basis": (
        "{file}: holds two bases of crossings; those of basis 'box' were taken.",
        "{file}: có hai cách xác định lượt qua; đã lấy cách 'box'.",
    ),
    "stretch_assumed": (
        "{file}: no line '# counted: 07:30-08:30' says what was counted; taken as counted from its first to "
        "its last event.",
        "{file}: không có dòng '# counted: 07:30-08:30' cho biết khoảng đã đếm; coi như đếm từ sự kiện đầu "
        "tiên đến sự kiện cuối cùng.",
    ),
    "events_unseen": (
        "{count} entries of the manual count lie where we observed nothing; they are left out.",
        "{count} mục đếm tay nằm ngoài thời gian quan sát của hệ thống và được bỏ.",
    ),
    "bins_unseen": (
        "{count} of {all} intervals of the manual count were not fully observed by us; they are left out.",
        "{count} trong {all} khoảng đếm tay không được hệ thống quan sát đầy đủ và được bỏ.",
    ),
    "gates_left_out": (
        "Gates that the manual count does not name are left out: {gates}.",
        "Bỏ qua các mặt cắt không có trong bản đếm tay: {gates}.",
    ),
    "no_geh": (
        "No GEH: it compares hourly volumes, and the longest stretch that both counted lasts {minutes} min; "
        "shorter counts are not scaled up.",
        "Không có GEH: chỉ số này so sánh lưu lượng giờ, trong khi đoạn dài nhất cả hai cùng đếm là "
        "{minutes} phút; số đếm ngắn hơn không được nhân lên.",
    ),
    "no_geh_intervals": (
        "No GEH: it compares hourly volumes, and the intervals of the manual count do not add up to hours.",
        "Không có GEH: chỉ số này so sánh lưu lượng giờ, mà các khoảng đếm tay không ghép lại thành giờ.",
    ),
    "approaches_unseen": (
        "Left out, because the cameras that speak for them were not counted in this period: approaches "
        "{approaches}. Totals are without them.",
        "Bỏ qua các nhánh mà camera phụ trách không được đếm trong khoảng này: {approaches}. Tổng không gồm "
        "các nhánh đó.",
    ),
    "excluded": (
        "{count} excluded periods are left out: {reasons}.",
        "Đã loại {count} khoảng thời gian: {reasons}.",
    ),
    "overlap": (
        "{file}: its first {seconds} s were seen by the recording before it too; their {count} crossings "
        "there are left out.",
        "{file}: {seconds} giây đầu đã có trong đoạn ghi trước; {count} lượt qua trong đó được bỏ.",
    ),
}

_CLASSES: dict[VehicleClass, tuple[str, str]] = {
    VehicleClass.BICYCLE: ("bicycle", "xe đạp"),
    VehicleClass.MOTORCYCLE: ("motorcycle", "xe máy"),
    VehicleClass.CAR: ("car", "ô tô con"),
    VehicleClass.BUS: ("bus", "xe buýt, xe khách"),
    VehicleClass.TRUCK: ("truck", "xe tải"),
    VehicleClass.UNKNOWN: ("unknown", "không rõ"),
}


def word(key: str, language: Language) -> str:
    """A word or phrase."""
    return _WORDS[key][language == "vi"]


def class_word(kind: VehicleClass, language: Language) -> str:
    """A class in words; its label in English."""
    return _CLASSES[kind][language == "vi"]


def class_named(text: str) -> VehicleClass | None:
    """The class that a word of either language means; None if none."""
    wanted = text.strip().casefold()
    return next((kind for kind, words in _CLASSES.items() if wanted in words), None)


def say(note: Note, language: Language) -> str:
    """A note in words."""
    return word(note.key, language).format(**note.values)
