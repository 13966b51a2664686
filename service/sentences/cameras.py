"""Addresses of cameras, connections, pictures: what a test, the live state and a job say."""

PAIRS: tuple[tuple[str, str], ...] = (
    (
        "the host {host} is not known here; check its name",
        "máy chủ không tìm thấy tên {host}; hãy kiểm tra lại tên",
    ),
    (
        "the host {host} is this machine or a service of its network",
        "{host} là chính máy chủ này hoặc dịch vụ trong mạng của nó",
    ),
    (
        "this kind of address is not opened; write {kinds}user@host/path",
        "loại địa chỉ này không dùng được; hãy ghi {kinds}user@host/path",
    ),
    (
        "an address has no spaces, backslashes or unprinted signs in it; write them as %20 and the like",
        "địa chỉ không được có dấu cách, dấu \\ hay ký tự ẩn; hãy ghi dạng %20 và tương tự",
    ),
    ("the host lacks its ]", "tên máy thiếu dấu ]"),
    (
        "its port is no number; a / ? # or : in a password is written %2F %3F %23 %3A",
        "cổng không phải là số; dấu / ? # : trong mật khẩu phải ghi là %2F %3F %23 %3A",
    ),
    (
        "the host names a network card or hides a sign; write it plainly",
        "tên máy chứa tên card mạng hoặc ký tự mã hóa; hãy ghi đơn giản",
    ),
    (
        "the host has signs that are not ASCII; write its number, or its name in xn-- form",
        "tên máy có ký tự có dấu; hãy ghi địa chỉ số, hoặc tên dạng xn--",
    ),
    ("the host in brackets is no IPv6 address", "phần trong ngoặc không phải địa chỉ IPv6"),
    (
        "the host is no address; write four numbers such as 10.0.0.5, or a name",
        "tên máy không phải địa chỉ; hãy ghi bốn số như 10.0.0.5, hoặc một tên",
    ),
    ("the host is no name", "tên máy không hợp lệ"),
    (
        "{host} is this machine, link-local or reserved; list it in NGATU_CAMERA_NETWORKS if meant",
        "{host} là chính máy này, địa chỉ nội bộ hoặc dành riêng; nếu đúng ý, hãy liệt kê trong "
        "NGATU_CAMERA_NETWORKS",
    ),
    (
        "{host} is in none of the networks of NGATU_CAMERA_NETWORKS",
        "{host} không thuộc mạng nào trong NGATU_CAMERA_NETWORKS",
    ),
    (
        "NGATU_CAMERA_NETWORKS: {reason}; write 10.20.0.0/16, 192.168.7.0/24",
        "NGATU_CAMERA_NETWORKS: {reason}; hãy ghi dạng 10.20.0.0/16, 192.168.7.0/24",
    ),
    ("the address is empty; write rtsp://user@host/path", "chưa có địa chỉ; hãy ghi rtsp://user@host/path"),
    (
        "only files below the folders of NGATU_CAMERA_FOLDERS are opened",
        "chỉ mở được tệp trong các thư mục của NGATU_CAMERA_FOLDERS",
    ),
    ("camera {camera} has no address yet; give it one", "camera {camera} chưa có địa chỉ; hãy ghi vào"),
    ("camera {camera} has no substream yet; give it one", "camera {camera} chưa có luồng phụ; hãy ghi vào"),
    (
        "other addresses are being tried; try again in a few seconds",
        "đang thử các địa chỉ khác; hãy thử lại sau vài giây",
    ),
    (
        "no picture came: {problem}; is the camera on, and the address right?",
        "không nhận được hình: {problem}; camera có bật và địa chỉ có đúng không?",
    ),
    (
        "the picture needs more memory than a test may take; try a smaller stream",
        "hình cần nhiều bộ nhớ hơn mức cho phép khi thử; hãy dùng luồng nhỏ hơn",
    ),
    (
        "there is no secret {name}; add it first, or write the password itself",
        "không có bí mật {name}; hãy thêm trước, hoặc ghi thẳng mật khẩu",
    ),
    (
        "the address holds {secret} in clear; add it as a secret and write ${NAME} in its place",
        "địa chỉ có {secret} ở dạng rõ; hãy lưu thành bí mật và ghi ${NAME} thay vào",
    ),
    (
        "it holds {secret} in clear; write ${NAME} in its place and set NAME in the environment",
        "địa chỉ có {secret} ở dạng rõ; hãy ghi ${NAME} thay vào và đặt NAME trong biến môi trường",
    ),
    (
        "the environment variable {name} is not set, and no secret has that name; set it where ngatu "
        "starts, or add the secret",
        "chưa đặt biến môi trường {name}, và không có bí mật nào tên như vậy; hãy đặt nơi khởi động ngatu, "
        "hoặc thêm bí mật",
    ),
    (
        "an address or secret is sealed with the key {key}, but {problem}; {other_problem}",
        "một địa chỉ hoặc bí mật được niêm phong bằng khóa {key}, nhưng {problem}; {other_problem}",
    ),
    ("the key here is {keys}", "khóa ở đây là {keys}"),
    ("there is no key here", "ở đây không có khóa"),
    (
        "put the key back (NGATU_KEY, or the file that NGATU_KEY_FILE names), or enter the address anew",
        "hãy đặt lại khóa (NGATU_KEY, hoặc tệp ghi trong NGATU_KEY_FILE), hoặc nhập lại địa chỉ",
    ),
    (
        "a sealed address or secret was altered in the database; enter it anew",
        "một địa chỉ hoặc bí mật đã niêm phong bị sửa trong cơ sở dữ liệu; hãy nhập lại",
    ),
    (
        "the key file {path} cannot be read: {reason}; {problem}",
        "không đọc được tệp khóa {path}: {reason}; {problem}",
    ),
    (
        "others than you can read the key file {path}; run: chmod 600 {again}",
        "người khác đọc được tệp khóa {path}; hãy chạy: chmod 600 {again}",
    ),
    ("the key file {path} is empty; {problem}", "tệp khóa {path} trống; {problem}"),
    (
        "there is no key to seal addresses with, and the file {path} cannot be made: {reason}; set "
        "NGATU_KEY_FILE to a file that ngatu may write, or NGATU_KEY to a key",
        "không có khóa để niêm phong địa chỉ, và không tạo được tệp {path}: {reason}; hãy đặt "
        "NGATU_KEY_FILE là tệp mà ngatu được ghi, hoặc đặt NGATU_KEY là một khóa",
    ),
    (
        "{where} holds no key; make one with: ngatu accounts new-key",
        "{where} không chứa khóa; hãy tạo bằng: ngatu accounts new-key",
    ),
    ("it took more than {seconds} s of computing and was stopped", "đã tính quá {seconds} giây nên bị dừng"),
    ("it took more than {seconds} s and was stopped", "đã chạy quá {seconds} giây nên bị dừng"),
    (
        "it ended without a result (exit {code}); it may need more than {size} of memory",
        "kết thúc mà không có kết quả (mã {code}); có thể cần hơn {size} bộ nhớ",
    ),
    ("it was stopped", "đã bị dừng"),
    ("it answered too much", "phản hồi quá dài"),
    ("it answered what nobody understands", "phản hồi không hiểu được"),
    ("it needs more than {size} of memory", "cần hơn {size} bộ nhớ"),
    ("it failed: {kind}: {reason}", "không thành công: {kind}: {reason}"),
    ("{address} cannot be opened: {problem}.", "không mở được {address}: {problem}."),
    ("{address} stopped: {problem}.", "{address} đã dừng: {problem}."),
    (
        "{address} stopped: it sends data but no picture; restart the camera.",
        "{address} đã dừng: có dữ liệu nhưng không có hình; hãy khởi động lại camera.",
    ),
    ("{address} ended: the camera closed the stream", "{address} đã kết thúc: camera đóng luồng hình"),
    (
        "the address is not understood; write it as rtsp://user:password@host:554/path",
        "không hiểu địa chỉ; hãy ghi dạng rtsp://user:password@host:554/path",
    ),
    (
        "the camera refuses this user name or password; correct them in the address",
        "camera từ chối tên đăng nhập hoặc mật khẩu này; hãy sửa trong địa chỉ",
    ),
    (
        "the camera has no such stream; check the path of the address",
        "camera không có luồng hình này; hãy kiểm tra đường dẫn trong địa chỉ",
    ),
    (
        "nothing answers at this host and port; check both, and that RTSP is switched on",
        "không có gì trả lời ở địa chỉ và cổng này; hãy kiểm tra cả hai, và RTSP đã bật chưa",
    ),
    (
        "the camera closed the connection; check that it allows one more viewer",
        "camera đóng kết nối; hãy kiểm tra camera có cho thêm người xem không",
    ),
    (
        "it cannot be found or does not speak RTSP; check host, port and network",
        "không tìm thấy camera hoặc camera không dùng RTSP; hãy kiểm tra địa chỉ, cổng và mạng",
    ),
    (
        "no answer within {seconds} s; check that the camera is on and its network reachable",
        "không có phản hồi trong {seconds} giây; hãy kiểm tra camera có bật và mạng có thông không",
    ),
    (
        "its address is no live stream; give rtsp://..., or count recordings with: ngatu batch",
        "địa chỉ không phải luồng trực tiếp; hãy ghi rtsp://..., hoặc đếm bản ghi bằng: ngatu batch",
    ),
    ("it has no address; give it one in the registry", "camera chưa có địa chỉ; hãy ghi ở trang Thiết lập"),
    (
        "pictures arrive {seconds} s late; check the camera's network",
        "hình đến chậm {seconds} giây; hãy kiểm tra mạng của camera",
    ),
    (
        "no picture came yet; check that the camera is on and sends one",
        "chưa có hình nào; hãy kiểm tra camera có bật và có gửi hình không",
    ),
    ("connecting for the first time", "đang kết nối lần đầu"),
    ("no picture arrives although the connection is open", "không có hình dù kết nối vẫn mở"),
    ("no worker reports this camera", "chưa có tiến trình phân tích nào báo về camera này"),
    ("nothing has been heard from worker {worker}", "tiến trình phân tích {worker} không còn báo về"),
    ("it is not in the registry any more", "camera không còn trong danh sách"),
    ("a public area: only its health is watched", "khu vực công cộng: chỉ theo dõi tình trạng camera"),
    ("no view is drawn: nothing is counted yet", "chưa vẽ vạch đếm: chưa đếm xe"),
    ("no speeds and densities: {problem}", "không có vận tốc và mật độ: {problem}"),
    (
        "it shows its old picture again; the view is trusted again once that lasts or is confirmed",
        "hình đã trở lại như cũ; hình vẽ được tin dùng lại khi tình trạng này kéo dài hoặc có người xác nhận",
    ),
    (
        "{share} of the pictures of the last {seconds} s repeat an earlier one, though frames arrive",
        "{share} số hình trong {seconds} giây qua lặp lại hình trước, dù khung hình vẫn đến",
    ),
    (
        "nine tenths of the picture are darker than {bright} of 255 grey levels",
        "chín phần mười khung hình tối hơn mức xám {bright} trên 255",
    ),
    ("{share} of the picture is overexposed", "{share} khung hình bị quá sáng"),
    ("{problem} and glare hides the rest", "{problem} và phần còn lại bị chói"),
    (
        "only {share} of what had detail before has any now: it is covered",
        "chỉ còn {share} số chi tiết so với trước: camera bị che",
    ),
    (
        "only {share} of the picture has any detail: something covers the lens",
        "chỉ {share} khung hình có chi tiết: có vật che ống kính",
    ),
    (
        "edges are {share} as sharp as in the reference or earlier",
        "độ nét chỉ bằng {share} so với hình gốc hoặc trước đây",
    ),
    (
        "edges have a sharpness of {sharpness}, a picture in focus at least 1.5",
        "độ nét là {sharpness}, hình rõ nét phải từ 1,5 trở lên",
    ),
    (
        "the picture has shifted by {share} of its width against the reference",
        "hình bị lệch {share} bề ngang so với hình gốc",
    ),
    (
        "the camera looks elsewhere: nothing of the reference or of the earlier picture is recognised",
        "camera nhìn sang chỗ khác: không còn nhận ra gì của hình gốc hay hình trước",
    ),
    (
        "the picture is good and in its place (shift {share} of its width)",
        "hình tốt và đúng vị trí (lệch {share} bề ngang)",
    ),
    (
        "nothing is wrong with the picture; whether the camera moved could not be checked just now",
        "hình không có lỗi; lúc này chưa kiểm tra được camera có bị lệch không",
    ),
    ("its substream is read: {problem}", "đang đọc luồng phụ: {problem}"),
    ("its main stream is read again: {problem}", "đã trở lại luồng chính: {problem}"),
    (
        "there was time for {fps} of {wanted} frames a second only",
        "máy chỉ kịp phân tích {fps} trên {wanted} khung hình/giây",
    ),
    ("there was ample time for {minutes} minutes", "máy đã dư thời gian trong {minutes} phút"),
    ("its substream was tried and is not read: {problem}", "đã thử luồng phụ nhưng không dùng: {problem}"),
    ("its {stream} is being opened", "đang mở {stream}"),
    ("its picture is {picture}: {problem}", "hình {picture}: {problem}"),
    (
        "its pictures are {size}, of another shape than the main stream's {main}, so that gates might lie "
        "beside the road; set both to the same shape in the camera",
        "hình {size} khác tỉ lệ với luồng chính {main} nên vạch đếm có thể lệch khỏi đường; hãy đặt cùng "
        "tỉ lệ trong camera",
    ),
    (
        "its pictures are {size}, no smaller than the main stream's {main}; set it smaller",
        "hình {size} không nhỏ hơn luồng chính {main}; hãy đặt nhỏ hơn",
    ),
)
