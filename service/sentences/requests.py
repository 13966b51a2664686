"""What the routes say of what they are asked for."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("not valid", "không hợp lệ"),
    ("not found", "không tìm thấy"),
    ("it cannot be read", "không đọc được"),
    ("not acceptable", "không có định dạng này"),
    (
        "this is given as {formats}; ask for one of them with Accept",
        "nội dung này có ở các định dạng {formats}; hãy chọn một bằng tiêu đề Accept",
    ),
    (
        "it is not one that this route gave; take the value of `next`, or leave it out",
        "không phải giá trị mà địa chỉ này đã trả; hãy dùng giá trị `next`, hoặc bỏ đi",
    ),
    ("give a moment between 1970 and 2200", "hãy cho thời điểm trong khoảng 1970 đến 2200"),
    ("give a day between 1971 and 2200", "hãy cho ngày trong khoảng 1971 đến 2200"),
    (
        "it does not lie behind start; end is the first moment after the period",
        "thời điểm kết thúc phải sau thời điểm bắt đầu",
    ),
    (
        "at most {days} days can be asked for at once here; ask in parts",
        "mỗi lần chỉ xem được nhiều nhất {days} ngày; hãy chia nhỏ ra",
    ),
    (
        "give a moment (at) or a period (start, end)",
        "hãy cho một thời điểm (at) hoặc một khoảng (start, end)",
    ),
    ("end needs start", "có thời điểm kết thúc thì phải có thời điểm bắt đầu"),
    ("what cameras will see is not known", "chưa thể biết camera sẽ thấy gì ở tương lai"),
    ("it must lie before end", "thời điểm bắt đầu phải trước thời điểm kết thúc"),
    ("name a site or a camera", "hãy chọn một địa điểm hoặc một camera"),
    ("there is no such parameter; this route has: {known}", "không có tham số này; ở đây có: {known}"),
    ("it is there twice; give it once", "tham số xuất hiện hai lần; chỉ ghi một lần"),
    ("does not fit", "không khớp"),
    (
        "it says {told}, the path {path}; make them equal",
        "nội dung ghi {told}, địa chỉ ghi {path}; hãy ghi giống nhau",
    ),
    ("it does not exist (any more); read it anew", "không còn tồn tại; hãy tải lại"),
    (
        "it exists already; read it, then change it with If-Match",
        "đã có rồi; hãy tải về rồi sửa kèm If-Match",
    ),
    ("exists already", "đã có rồi"),
    (
        "send the header If-Match with the ETag that reading it gave",
        "hãy gửi tiêu đề If-Match với ETag nhận được khi tải về",
    ),
    ("If-Match is needed", "cần có If-Match"),
    ("somebody changed it since you read it; read it anew", "người khác vừa sửa; hãy tải lại"),
    ("changed meanwhile", "đã bị sửa trong lúc đó"),
    ("there is no {thing} {name} at that moment", "không có {thing} {name} vào thời điểm đó"),
    (
        "one account may have {count} at once; close one",
        "mỗi tài khoản mở được nhiều nhất {count} luồng cùng lúc; hãy đóng bớt",
    ),
    ("there are {count} already; try later", "đã có {count} luồng đang mở; hãy thử lại sau"),
    ("too many streams", "quá nhiều luồng"),
    (
        "no fresh picture of {camera} came; see its state",
        "không có hình mới của {camera}; hãy xem tình trạng của camera",
    ),
    ("no picture", "không có hình"),
    ("{login} has taken this alarm on", "{login} đã nhận xử lý cảnh báo này"),
    ("acknowledged already", "đã có người nhận xử lý"),
    ("there is no alarm of this id; see /v1/alarms", "không có cảnh báo mang mã này; xem trang Cảnh báo"),
    (
        "there is no alarm {kind}; it is one of {known}",
        "không có loại cảnh báo {kind}; hãy chọn một trong: {known}",
    ),
    (
        "alarm {kind} has no setting {setting}; it has {known}",
        "cảnh báo {kind} không có ngưỡng {setting}; có các ngưỡng: {known}",
    ),
    ("alarm {kind}, setting {setting}: {problem}", "cảnh báo {kind}, ngưỡng {setting}: {problem}"),
    (
        "alarm {kind} is about machines, not a site: set it for the city",
        "cảnh báo {kind} là về hệ thống, không thuộc điểm nào: hãy đặt cho toàn thành phố",
    ),
    ("{file}: it is no readable GeoJSON: {reason}", "{file}: không phải GeoJSON đọc được: {reason}"),
    ("no streets", "không có đường phố"),
    (
        "the check did not end; try again, or run: ngatu doctor",
        "việc kiểm tra không kết thúc; hãy thử lại, hoặc chạy: ngatu doctor",
    ),
    ("no answer", "không có phản hồi"),
    ("there is no excluded period {number}", "không có khoảng loại trừ số {number}"),
    ("{login} withdrew it before", "{login} đã rút lại trước đó"),
    ("withdrawn already", "đã được rút lại"),
    (
        "an excluded period needs a reason and an author; give both",
        "khoảng loại trừ cần có lý do và người nhập; hãy ghi cả hai",
    ),
    (
        "an excluded period is of a site or a camera; name one",
        "khoảng loại trừ phải thuộc một địa điểm hoặc một camera; hãy chọn một",
    ),
    (
        "the excluded period ends ({end}) before it begins ({start}); swap them",
        "khoảng loại trừ kết thúc ({end}) trước khi bắt đầu ({start}); hãy đổi lại",
    ),
    (
        "there is no excluded period {number} that holds; list them to see their numbers",
        "không có khoảng loại trừ số {number} nào đang có hiệu lực; hãy xem danh sách",
    ),
)
