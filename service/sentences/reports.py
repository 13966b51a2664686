"""Reports, and manual counts that they are compared with."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("nothing to report", "không có gì để báo cáo"),
    ("nothing to compare with", "không có gì để so sánh"),
    (
        "the registry has no such site in that period; it has: {known}",
        "danh mục không có địa điểm này trong khoảng đó; có: {known}",
    ),
    (
        "no camera owned an approach of it in that period; name owners in the registry, see: ngatu city "
        "export",
        "không camera nào phụ trách nhánh của nút trong khoảng đó; hãy chọn camera phụ trách ở trang Thiết "
        "lập",
    ),
    (
        "nothing of it was counted in that period, or all is excluded; give another one",
        "không đếm được gì ở đây trong khoảng đó, hoặc tất cả đã bị loại trừ; hãy chọn khoảng khác",
    ),
    (
        "single crossings before {until} UTC were dropped by ngatu db retention; begin the report after that",
        "từng lượt xe trước {until} UTC đã bị xóa theo thời hạn lưu; hãy bắt đầu báo cáo sau lúc đó",
    ),
    (
        "{site}: nothing was observed, so there is nothing to report",
        "{site}: không quan sát được gì nên không có gì để báo cáo",
    ),
    ("send the manual count with Content-Type: text/csv", "hãy gửi bản đếm tay với Content-Type: text/csv"),
    ("not a table", "không phải bảng"),
    ("a manual count has at most {most} bytes here", "bản đếm tay ở đây có nhiều nhất {most} byte"),
    ("a manual count has at most {most} lines here", "bản đếm tay ở đây có nhiều nhất {most} dòng"),
    (
        "no moment was counted by both: the manual count holds {theirs}, ours fully observed {ours} "
        "({tz}); check dates, time zone and --interval",
        "không có lúc nào cả hai cùng đếm: bản đếm tay có {theirs}, hệ thống quan sát đầy đủ {ours} "
        "({tz}); hãy kiểm tra ngày, múi giờ và khoảng của bảng đếm",
    ),
    (
        "{path} holds no events and no line '# counted: 0.0-40.0' says what was seen",
        "{path} không có sự kiện nào và không có dòng '# counted: 0.0-40.0' cho biết đã đếm đoạn nào",
    ),
    (
        "{path}: {count} events lie outside of '# counted: {stretch}'; correct it",
        "{path}: {count} sự kiện nằm ngoài '# counted: {stretch}'; hãy sửa lại",
    ),
    ("it is not after the start", "phải sau thời điểm bắt đầu"),
    (
        "another row with this start has another end",
        "một dòng khác cùng thời điểm bắt đầu lại có thời điểm kết thúc khác",
    ),
    ("the same interval, place and class stand in {where} too", "khoảng, nơi và loại xe này đã có ở {where}"),
    ("holds both 'all' and single classes; keep one of them", "có cả 'all' lẫn từng loại xe; hãy giữ một"),
    (
        "intervals overlap; give the right --interval, or a column end for each",
        "các khoảng chồng lên nhau; hãy chọn đúng khoảng của bảng đếm, hoặc thêm cột end cho mỗi dòng",
    ),
    (
        "gate {gate} has it in some rows only; write it in all or none",
        "vạch {gate} chỉ ghi chiều ở một số dòng; hãy ghi ở mọi dòng hoặc bỏ hết",
    ),
    (
        "{name} is not among ours ({known}); correct it or give the view with --view",
        "{name} không có trong các vạch của hệ thống ({known}); hãy sửa lại",
    ),
    (
        "{name} is not among ours ({known}); correct it or give --view",
        "{name} không có trong các hướng rẽ của hệ thống ({known}); hãy sửa lại",
    ),
    ("{text} is neither 'in' nor 'out'", "{text} không phải 'in' hay 'out'"),
    ("name one of the two", "hãy ghi một trong hai"),
    (
        "{text} is no number of vehicles; leave it empty where nobody counted",
        "{text} không phải số xe; hãy để trống nơi không đếm",
    ),
    (
        "cannot read {path}: {reason}; check the path",
        "không đọc được {path}: {reason}; hãy kiểm tra đường dẫn",
    ),
    (
        "{path} is not UTF-8 text; save it as 'CSV UTF-8'",
        "{path} không phải văn bản UTF-8; hãy lưu dạng 'CSV UTF-8'",
    ),
    ("{path} is empty; it needs a heading and rows", "{path} trống; cần dòng tiêu đề và các dòng số liệu"),
    (
        "{count} cells under {headings} headings; quote the commas",
        "{count} ô dưới {headings} tiêu đề; hãy đặt phần có dấu phẩy trong ngoặc kép",
    ),
    (
        "{text} is no vehicle class; write one of: {known}",
        "{text} không phải loại xe; hãy ghi một trong: {known}",
    ),
    (
        "there is no column {column} among {columns}; it needs {needed}",
        "không có cột {column} trong {columns}; cần có {needed}",
    ),
    (
        "{text} is no time; write 2026-03-10 07:30:00, 07:30:00, or seconds from the start",
        "{text} không phải thời gian; hãy ghi 2026-03-10 07:30:00, 07:30:00, hoặc số giây từ đầu",
    ),
    (
        "seconds from the start mean nothing where the start is not known; write dates",
        "không biết thời điểm đầu nên không dùng được số giây từ đầu; hãy ghi ngày giờ",
    ),
    ("{text} is no time of day", "{text} không phải giờ trong ngày"),
    (
        "{text} has no date and the day is not known; write the date too",
        "{text} thiếu ngày và không biết là ngày nào; hãy ghi cả ngày",
    ),
    (
        "{text} may be any of several days; write the date too",
        "{text} có thể thuộc nhiều ngày; hãy ghi cả ngày",
    ),
    (
        "{text} is no stretch; write such as 0.0-40.0 or 07:30-08:30",
        "{text} không phải một đoạn; hãy ghi như 0.0-40.0 hoặc 07:30-08:30",
    ),
    ("{text} ends before it begins", "{text} kết thúc trước khi bắt đầu"),
)
