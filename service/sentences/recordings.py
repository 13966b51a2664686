"""Recordings that are handed in, read and counted."""

PAIRS: tuple[tuple[str, str], ...] = (
    (
        "{name} is no recording that is taken; send MP4, MOV, MKV, WebM, AVI, TS or MPG",
        "{name} không phải loại bản ghi nhận được; hãy gửi MP4, MOV, MKV, WebM, AVI, TS hoặc MPG",
    ),
    (
        "{name} is no recording that is taken: send MP4, MKV, WebM, AVI, TS or MPG",
        "{name} không phải loại bản ghi nhận được: hãy gửi MP4, MKV, WebM, AVI, TS hoặc MPG",
    ),
    (
        "its codec {codec} is not taken; use one of {known}",
        "không nhận kiểu nén {codec}; hãy dùng một trong: {known}",
    ),
    ("its pictures of {width}x{height} are too large", "khung hình {width}x{height} quá lớn"),
    ("it lasts more than {hours} hours; cut it", "bản ghi dài hơn {hours} giờ; hãy cắt ngắn"),
    (
        "send a form of type multipart/form-data with the field 'file'",
        "hãy gửi biểu mẫu multipart/form-data có trường 'file'",
    ),
    (
        "the form cannot be read: send it as multipart/form-data",
        "không đọc được biểu mẫu: hãy gửi dạng multipart/form-data",
    ),
    ("the form ends too early: send it again", "biểu mẫu bị đứt giữa chừng: hãy gửi lại"),
    (
        "the form has no file: send it in the field 'file'",
        "biểu mẫu không có tệp: hãy gửi tệp trong trường 'file'",
    ),
    ('options are a JSON object, such as {"fps": 10}', 'lựa chọn là một đối tượng JSON, ví dụ {"fps": 10}'),
    (
        "the form has the fields 'file' and 'options', once each",
        "biểu mẫu có hai trường 'file' và 'options', mỗi trường một lần",
    ),
    ("options are too long", "phần lựa chọn quá dài"),
    ("options, {field}: {problem}", "lựa chọn {field}: {problem}"),
    ("options: {problem}", "lựa chọn: {problem}"),
    (
        "record needs a camera: name the one that the recording is of",
        "muốn ghi vào số liệu thì phải có camera: hãy chọn camera đã quay bản ghi",
    ),
    (
        "NGATU_KEEP_DAYS: {problem}; write days, such as 7",
        "NGATU_KEEP_DAYS: {problem}; hãy ghi số ngày, ví dụ 7",
    ),
    ("not a form", "không phải biểu mẫu"),
    ("the upload broke off: send it again", "việc tải lên bị đứt: hãy gửi lại"),
    ("this job is {state}; there is nothing to cancel", "bản ghi này {state}; không có gì để hủy"),
    ("has ended", "đã kết thúc"),
    (
        "this job has no file {file}; it may have had its time",
        "bản ghi này không có tệp {file}; có thể đã hết hạn lưu",
    ),
    ("{count} jobs wait already; try again later", "đã có {count} bản ghi đang chờ; hãy thử lại sau"),
    ("queue full", "hàng chờ đã đầy"),
    ("there is no camera {camera}; see /v1/cameras", "không có camera {camera}; xem trang Thiết lập"),
    ("there is no job of this id; see /v1/jobs", "không có bản ghi mang mã này; xem trang Bản ghi"),
    ("the disk is nearly full", "ổ đĩa sắp đầy"),
    (
        "cannot make the folder {folder}: {reason}; set NGATU_JOBS",
        "không tạo được thư mục {folder}: {reason}; hãy đặt NGATU_JOBS",
    ),
    (
        "{name} is larger than {size} GiB: cut it, or name its path instead",
        "{name} lớn hơn {size} GiB: hãy cắt nhỏ, hoặc cho đường dẫn trên máy chủ",
    ),
    (
        "{name} came too slowly: name its path instead",
        "{name} tải lên quá chậm: hãy cho đường dẫn trên máy chủ",
    ),
    ("{name} could not be written: {reason}", "không ghi được {name}: {reason}"),
    (
        "no folder of recordings is allowed: set NGATU_RECORDINGS, or upload the file",
        "chưa cho phép thư mục bản ghi nào: hãy đặt NGATU_RECORDINGS, hoặc tải tệp lên",
    ),
    (
        "there is no such file in the allowed folders ({folders})",
        "không có tệp này trong các thư mục được phép ({folders})",
    ),
    ("{name} cannot be read: {reason}", "không đọc được {name}: {reason}"),
    (
        "the disk has only {free} GiB free and {least} stay free: delete something",
        "ổ đĩa chỉ còn trống {free} GiB, phải để trống {least} GiB: hãy xóa bớt",
    ),
    ("{name} is not taken: {problem}", "không nhận {name}: {problem}"),
    ("{name} is not there any more: give it again", "không còn {name}: hãy gửi lại"),
    (
        "{name} made no progress for long and was ended",
        "{name} không tiến triển trong thời gian dài nên đã bị dừng",
    ),
    ("{name} could not be counted: {problem}", "không đếm được {name}: {problem}"),
    (
        "camera {camera} has no view: draw one, or leave the camera out",
        "camera {camera} chưa có hình vẽ: hãy vẽ, hoặc không chọn camera",
    ),
    (
        "the count left links behind, as nothing of ours does; the recording may do harm",
        "việc đếm để lại liên kết tệp bất thường; bản ghi có thể gây hại",
    ),
    (
        "the count tells of another camera, so nothing was written to the database",
        "kết quả đếm nói về camera khác nên không ghi vào cơ sở dữ liệu",
    ),
    (
        "the database refused what was measured; look at the job's outbox.db",
        "cơ sở dữ liệu từ chối kết quả đo; xem outbox.db của bản ghi",
    ),
    ("recorded for camera {camera}", "đã ghi vào số liệu của camera {camera}"),
    ("cancelled by {login}", "{login} đã hủy"),
    (
        "the service was stopped while it was counted; it is counted again",
        "máy chủ bị dừng trong lúc đếm; bản ghi được đếm lại",
    ),
    (
        "the service was stopped {count} times while it was counted; look why, then submit it again",
        "máy chủ bị dừng {count} lần trong lúc đếm; hãy xem nguyên nhân rồi gửi lại",
    ),
    ("nothing was counted, so there is nothing to record", "không đếm được gì nên không có gì để ghi"),
    (
        "no --view was given: proposed one, see {view} and {picture} beside it",
        "chưa có hình vẽ nên hệ thống tự đề xuất vạch đếm, xem {view} và {picture} kèm theo",
    ),
    (
        "riders at gate {gate} are {height} pixels high, and below {least} most are missed: "
        "look closer with --model {model}",
        "người đi xe máy tại vạch {gate} chỉ cao {height} điểm ảnh; dưới {least} điểm ảnh thì phần lớn bị "
        "bỏ sót: hãy dùng --model {model} để nhìn gần hơn",
    ),
    (
        "riders at gate {gate} are {height} pixels high, and below {least} most are missed: "
        "place the gate, or the camera, nearer",
        "người đi xe máy tại vạch {gate} chỉ cao {height} điểm ảnh; dưới {least} điểm ảnh thì phần lớn bị "
        "bỏ sót: hãy đặt vạch hoặc camera gần hơn",
    ),
    (
        "vehicles wait on gate {gate} ({seconds} s on its line, {counted} counted): "
        "place it where they keep moving, a metre or two on",
        "xe dừng chờ ngay trên vạch {gate} ({seconds} giây trên vạch, đếm được {counted} lượt): "
        "hãy đặt vạch ở chỗ xe luôn chạy, cách đó một đến hai mét",
    ),
    (
        "annotated.mp4 is not complete: it is drawn once counting is through",
        "annotated.mp4 chưa đầy đủ: video được vẽ sau khi đếm xong",
    ),
    ("detector: {problem}", "bộ phát hiện: {problem}"),
    (
        "{detector} ({times} for one picture here{remembered})",
        "{detector} ({times} cho một hình trên máy này{remembered})",
    ),
    ("{detector} ({problem})", "{detector} ({problem})"),
    (
        "this processor has no dot products of bytes, which 8 bits need",
        "bộ xử lý này không có phép nhân vô hướng theo byte mà bản 8 bit cần",
    ),
    (
        "--annotate on a live stream needs --view: what has passed cannot be drawn afterwards",
        "--annotate với luồng trực tiếp cần --view: hình đã qua không vẽ lại được",
    ),
    (
        "--tiles looks closer with a network; the motion detector needs none: leave it out",
        "--tiles chỉ dùng với mạng nơ-ron; bộ phát hiện chuyển động không cần: hãy bỏ đi",
    ),
    (
        "cannot make the folder {folder}: {reason}; choose another --out",
        "không tạo được thư mục {folder}: {reason}; hãy chọn --out khác",
    ),
    (
        "cannot write {path}: {reason}; choose another --out folder",
        "không ghi được {path}: {reason}; hãy chọn thư mục --out khác",
    ),
    (
        "--interval {text}: write a length that divides a day, such as 60s, 5min, 15min or 1h",
        "--interval {text}: hãy ghi độ dài chia hết một ngày, ví dụ 60s, 5min, 15min hoặc 1h",
    ),
    (
        "--tiles {text}: write columns x rows, such as 2x2 or 3x2",
        "--tiles {text}: hãy ghi số cột x số hàng, ví dụ 2x2 hoặc 3x2",
    ),
    (
        "{database} refused {count} messages; see the table 'rejected' in {file}",
        "{database} từ chối {count} bản tin; xem bảng 'rejected' trong {file}",
    ),
    (
        "the count did not reach its end, so nothing was written to the database; count again",
        "chưa đếm đến hết nên không ghi gì vào cơ sở dữ liệu; hãy đếm lại",
    ),
    (
        "Frames per second must lie between 0 and 1000, not {fps}.",
        "số khung hình mỗi giây phải từ 0 đến 1000, không phải {fps}.",
    ),
    (
        "{path} cannot be opened: give a video file, a folder of images or an address of the form "
        "rtsp://user:password@host:554/path, with spaces written as %20.",
        "không mở được {path}: hãy cho tệp video, thư mục ảnh hoặc địa chỉ dạng "
        "rtsp://user:password@host:554/path, dấu cách ghi là %20.",
    ),
    (
        "{path} is no recording, and only a recording can be looked at frame by frame: record a stretch of "
        "the camera into a file first.",
        "{path} không phải bản ghi, mà chỉ bản ghi mới xem được từng khung hình: hãy ghi một đoạn của "
        "camera vào tệp trước.",
    ),
    (
        "{path} has no times of its frames: convert it to MP4.",
        "{path} không có thời gian của khung hình: hãy chuyển sang MP4.",
    ),
    (
        "{path} has a clock that jumps back, as where recordings were joined: count its parts one by one, "
        "or convert it to MP4.",
        "{path} có đồng hồ nhảy lùi, như khi ghép nhiều bản ghi: hãy đếm từng phần, hoặc chuyển sang MP4.",
    ),
    (
        "{path} cannot be read out of order: convert it to MP4.",
        "{path} không đọc được ngoài thứ tự: hãy chuyển sang MP4.",
    ),
    ("{path} cannot be decoded from {seconds} s on.", "{path} không giải mã được từ giây {seconds}."),
    (
        "{path} holds no picture that can be decoded (codec {codec}): record it again or convert it to "
        "H.264.",
        "{path} không có hình giải mã được (kiểu nén {codec}): hãy ghi lại hoặc chuyển sang H.264.",
    ),
    (
        "{path} holds no video: give a recording with a picture track.",
        "{path} không có video: hãy gửi bản ghi có hình.",
    ),
    (
        "{path} uses a video codec that is not known here: convert it to H.264.",
        "{path} dùng kiểu nén video lạ: hãy chuyển sang H.264.",
    ),
    (
        "{path} cannot be read as an image: remove it or copy it into the folder anew.",
        "{path} không đọc được như ảnh: hãy bỏ đi hoặc chép lại vào thư mục.",
    ),
    (
        "{path} holds no images: give a folder with files of type {known}.",
        "{path} không có ảnh: hãy cho thư mục có tệp loại {known}.",
    ),
    (
        "{path} measures {width}x{height} and the first image of its folder {first_width}x{first_height}: "
        "keep one camera's images of one size in a folder.",
        "{path} có kích thước {width}x{height} còn ảnh đầu của thư mục là {first_width}x{first_height}: "
        "mỗi thư mục chỉ để ảnh cùng kích thước của một camera.",
    ),
    (
        "There is no time zone {name}: use a name such as Asia/Ho_Chi_Minh.",
        "không có múi giờ {name}: hãy dùng tên như Asia/Ho_Chi_Minh.",
    ),
    ("{path} does not exist: check the path.", "không có {path}: hãy kiểm tra đường dẫn."),
    (
        "{path} is not a file: give a video file, a folder of images or an RTSP address.",
        "{path} không phải tệp: hãy cho tệp video, thư mục ảnh hoặc địa chỉ RTSP.",
    ),
    ("{path} is empty: copy it again from the recorder.", "{path} trống: hãy chép lại từ đầu ghi."),
    (
        "{path} may not be read: give this user the right to read it.",
        "không được phép đọc {path}: hãy cấp quyền đọc cho người dùng này.",
    ),
    (
        "{path} has no readable index, as when a recording is cut off: repair it with a tool such as "
        "untrunc, or have the recorder write MPEG-TS or MKV.",
        "{path} không có mục lục đọc được, như khi bản ghi bị cắt ngang: hãy sửa bằng công cụ như untrunc, "
        "hoặc đặt đầu ghi dùng MPEG-TS hay MKV.",
    ),
    (
        "{path} is not a video that can be read: give an MP4, MKV, AVI, WebM or MPEG-TS recording.",
        "{path} không phải video đọc được: hãy gửi bản ghi MP4, MKV, AVI, WebM hoặc MPEG-TS.",
    ),
    (
        "cannot write {path}: give a name that ends in .mp4, .mov or .mkv.",
        "không ghi được {path}: hãy đặt tên kết thúc bằng .mp4, .mov hoặc .mkv.",
    ),
    (
        "cannot write {path}: {reason}; free space or choose a folder that you may write to.",
        "không ghi được {path}: {reason}; hãy giải phóng ổ đĩa hoặc chọn thư mục được phép ghi.",
    ),
)
