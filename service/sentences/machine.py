"""The database, the outbox and the detectors: what the page of the system and failed jobs say."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("the database is away", "cơ sở dữ liệu tạm thời không phản hồi"),
    ("the database refused", "cơ sở dữ liệu từ chối"),
    (
        "{database} has a table 'crossings' not made by ngatu; name another database",
        "{database} có bảng 'crossings' không do ngatu tạo; hãy dùng cơ sở dữ liệu khác",
    ),
    (
        "the disk of {database} is full ({reason}); free some space, nothing was lost",
        "ổ đĩa của {database} đã đầy ({reason}); hãy giải phóng ổ đĩa, chưa mất gì",
    ),
    ("cannot use the database {database}: {reason}", "không dùng được cơ sở dữ liệu {database}: {reason}"),
    ("the database {database} refused: {reason}", "cơ sở dữ liệu {database} từ chối: {reason}"),
    (
        "the database's URL is not understood; write sqlite:///path/to/file.db or "
        "postgresql://user:password@host/name",
        "không hiểu địa chỉ cơ sở dữ liệu; hãy ghi sqlite:///path/to/file.db hoặc "
        "postgresql://user:password@host/name",
    ),
    (
        "cannot make the folder {folder}: {reason}; name another",
        "không tạo được thư mục {folder}: {reason}; hãy chọn thư mục khác",
    ),
    (
        "{database} was made by a newer ngatu (schema {schema}); update ngatu",
        "{database} do bản ngatu mới hơn tạo (cấu trúc {schema}); hãy cập nhật ngatu",
    ),
    (
        "{database} has schema {schema}, this ngatu needs {needed}; run: ngatu db backup, then: ngatu db "
        "upgrade",
        "{database} có cấu trúc {schema}, bản ngatu này cần {needed}; hãy chạy: ngatu db backup, rồi: "
        "ngatu db upgrade",
    ),
    (
        "cannot open the outbox {path}: {reason}; choose another folder",
        "không mở được bộ nhớ tạm {path}: {reason}; hãy chọn thư mục khác",
    ),
    (
        "the outbox {path} cannot take more ({reason}; its limit is {limit} bytes); see that the database "
        "is reached or free disk space; what it holds is safe",
        "bộ nhớ tạm {path} không nhận thêm được ({reason}; giới hạn {limit} byte); hãy kiểm tra kết nối cơ "
        "sở dữ liệu hoặc giải phóng ổ đĩa; những gì đã lưu vẫn an toàn",
    ),
    ("cannot use the outbox {path}: {reason}", "không dùng được bộ nhớ tạm {path}: {reason}"),
    (
        "{path}: only ONNX weights (.onnx) with a card beside them are loaded.",
        "{path}: chỉ nạp trọng số ONNX (.onnx) có thẻ đi kèm.",
    ),
    (
        "A size is written as 640x384; {text} is not understood.",
        "Kích thước phải ghi dạng 640x384; không hiểu được {text}.",
    ),
    ("No detector is called {name}; known are {known}.", "không có bộ phát hiện tên {name}; có: {known}."),
    ("{path}: the card cannot be read ({reason}).", "{path}: không đọc được thẻ ({reason})."),
    ("{path}: not valid TOML: {reason}.", "{path}: TOML không hợp lệ: {reason}."),
    (
        "{path}: field name is {name} but the card's file is called {file}.",
        "{path}: trường name là {name} nhưng tệp thẻ tên {file}.",
    ),
    ("{path}: there is no such file.", "{path}: không có tệp này."),
    (
        "{path} has no card beside it; make one with: ngatu models add {again}",
        "{path} không có thẻ đi kèm; hãy tạo bằng: ngatu models add {again}",
    ),
    (
        "{path}: field file names {file}, not {weights}.",
        "{path}: trường file ghi {file}, không phải {weights}.",
    ),
    (
        "{path}: the weights {file} are missing; put them beside the card or name their folder in "
        "NGATU_MODELS.",
        "{path}: thiếu trọng số {file}; hãy đặt cạnh thẻ hoặc ghi thư mục vào NGATU_MODELS.",
    ),
    (
        "its outputs ({shapes}) are not those of the decoder {decoder}",
        "đầu ra ({shapes}) không phải của bộ giải mã {decoder}",
    ),
    (
        "its class map names class {number} but it has {count} classes",
        "bảng loại ghi loại {number} nhưng mạng có {count} loại",
    ),
    (
        "{name} takes {width}x{height} only, not {asked_width}x{asked_height}.",
        "{name} chỉ nhận {width}x{height}, không nhận {asked_width}x{asked_height}.",
    ),
    (
        "{name} takes multiples of {step} only, not {width}x{height}.",
        "{name} chỉ nhận bội số của {step}, không nhận {width}x{height}.",
    ),
    ("{path}: the weights cannot be read ({reason}).", "{path}: không đọc được trọng số ({reason})."),
    (
        "{path}: its sha256 is {found}, not the {wanted} of {card}.",
        "{path}: sha256 là {found}, không phải {wanted} ghi trong {card}.",
    ),
    ("No provider is called {name}; known are {known}.", "không có bộ chạy mạng tên {name}; có: {known}."),
    (
        "Provider {name} is not installed: install {package} in place of onnxruntime.",
        "chưa cài bộ chạy mạng {name}: hãy cài {package} thay cho onnxruntime.",
    ),
    (
        "Provider openvino is not installed: pip install openvino.",
        "chưa cài bộ chạy mạng openvino: pip install openvino.",
    ),
    ("{path}: ONNX Runtime cannot load it: {reason}", "{path}: ONNX Runtime không nạp được: {reason}"),
    ("{path}: OpenVINO cannot load it: {reason}", "{path}: OpenVINO không nạp được: {reason}"),
    (
        "Provider {asked} did not start, {ran} would run instead: check driver and libraries.",
        "bộ chạy mạng {asked} không khởi động, {ran} sẽ chạy thay: hãy kiểm tra trình điều khiển và thư "
        "viện.",
    ),
    (
        "{path}: input.scaling {scaling} feeds {kind}, the network takes {taken}.",
        "{path}: input.scaling {scaling} cho {kind}, mạng nhận {taken}.",
    ),
    (
        "{path}: the card's input is {shape}, the network's {own_shape}.",
        "{path}: đầu vào theo thẻ là {shape}, của mạng là {own_shape}.",
    ),
    (
        "{path}: the inputs {names} are not those of the decoder {decoder}.",
        "{path}: các đầu vào {names} không phải của bộ giải mã {decoder}.",
    ),
    (
        "{path}: the network fails at {width}x{height}: {reason}",
        "{path}: mạng không chạy được ở {width}x{height}: {reason}",
    ),
    ("is not a field of a card", "không phải trường của thẻ"),
    (
        "{width}x{height} is not a multiple of multiple_of = {step}",
        "{width}x{height} không phải bội số của multiple_of = {step}",
    ),
    ("keep ({keep}) must not be above start ({start})", "keep ({keep}) không được lớn hơn start ({start})"),
)
