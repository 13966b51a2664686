"""Logging in, accounts, tokens, secrets, and what stands before every request."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("log in, or send a token", "hãy đăng nhập, hoặc gửi mã truy cập"),
    ("not logged in", "chưa đăng nhập"),
    ("name or password is wrong", "tên đăng nhập hoặc mật khẩu không đúng"),
    (
        "passwords do not cross the network in clear: put TLS in front of ngatu (see docs/security.md), or "
        "set NGATU_ALLOW_HTTP=1 for a network that you trust",
        "không gửi mật khẩu qua mạng khi chưa mã hóa: hãy đặt TLS trước ngatu (xem docs/security.md), hoặc "
        "đặt NGATU_ALLOW_HTTP=1 nếu tin cậy mạng này",
    ),
    ("not encrypted", "kết nối chưa mã hóa"),
    ("that is not the present password", "mật khẩu hiện tại không đúng"),
    ("many are logging in just now; try again", "đang có nhiều người đăng nhập; hãy thử lại"),
    ("busy", "máy chủ đang bận"),
    (
        "wait {seconds} s and try again; an administrator can unlock the account",
        "hãy đợi {seconds} giây rồi thử lại; người quản trị có thể mở khóa tài khoản",
    ),
    ("too many wrong guesses", "nhập sai quá nhiều lần"),
    (
        "it has {length} characters; take at least {least}, such as four words",
        "mật khẩu có {length} ký tự; hãy dùng ít nhất {least} ký tự, ví dụ bốn từ",
    ),
    ("it has more than {most} characters", "mật khẩu dài hơn {most} ký tự"),
    (
        "it is among the first that anybody would try; take another, such as four words",
        "mật khẩu này ai cũng đoán được; hãy chọn mật khẩu khác, ví dụ bốn từ",
    ),
    ("not a good password", "mật khẩu chưa đủ mạnh"),
    ("there is no role {role}; take one of {known}", "không có vai trò {role}; hãy chọn một trong: {known}"),
    (
        "this needs the role {role}; {login} is {own_role}",
        "việc này cần vai trò {role}; {login} là {own_role}",
    ),
    ("a token may not do this; log in", "mã truy cập không được làm việc này; hãy đăng nhập"),
    ("not allowed", "không được phép"),
    ("not known", "không nhận ra bên gửi"),
    (
        "this is for workers; set NGATU_WORKER_TOKEN to that of the service",
        "địa chỉ này dành cho tiến trình phân tích; hãy đặt NGATU_WORKER_TOKEN giống của máy chủ",
    ),
    (
        "send the header {header} with what GET /v1/session says under csrf",
        "hãy gửi tiêu đề {header} với giá trị csrf mà GET /v1/session trả về",
    ),
    ("not from our page", "yêu cầu không đến từ trang của hệ thống"),
    ("this request comes from a page of another site", "yêu cầu này đến từ trang của một nơi khác"),
    ("there is no account {login} yet; give its role", "chưa có tài khoản {login}; hãy chọn vai trò"),
    (
        "the account {login} is disabled; enable it first",
        "tài khoản {login} đã bị khóa lại; hãy cho dùng lại trước",
    ),
    ("disabled", "đã khóa lại"),
    (
        "{login} is {own_role}; change the role of the account",
        "{login} là {own_role}; hãy đổi vai trò ngay ở tài khoản đó",
    ),
    ("another role", "vai trò khác"),
    (
        "the link was used, has ended, or is not complete; ask for a new one",
        "liên kết đã dùng, hết hạn hoặc bị thiếu; hãy xin liên kết mới",
    ),
    ("the link was used meanwhile", "liên kết vừa được dùng"),
    ("no such invitation", "không có lời mời này"),
    ("this account is disabled", "tài khoản này đã bị khóa lại"),
    ("there is no account {login}", "không có tài khoản {login}"),
    ("no such account", "không có tài khoản này"),
    (
        "{login} is the only administrator left; make another first",
        "{login} là quản trị viên duy nhất còn lại; hãy cử thêm một quản trị viên trước",
    ),
    ("the last administrator", "quản trị viên cuối cùng"),
    ("nobody invited {login}", "không có lời mời nào cho {login}"),
    ("at most {count} a minute; wait a little", "nhiều nhất {count} yêu cầu mỗi phút; hãy đợi một lát"),
    ("too many requests", "quá nhiều yêu cầu"),
    ("a text here holds no zero byte", "văn bản không được chứa ký tự rỗng"),
    ("an address or query here holds no zero byte", "địa chỉ yêu cầu không được chứa ký tự rỗng"),
    ("the tokens of others are for administrators", "chỉ quản trị viên được xem mã truy cập của người khác"),
    (
        "{login} is {own_role}, a token cannot be more",
        "{login} là {own_role}, mã truy cập không thể có quyền cao hơn",
    ),
    ("there is no token {number} of yours in use", "bạn không có mã truy cập số {number} nào đang dùng"),
    ("no such token", "không có mã truy cập này"),
    (
        "a name has letters, digits and _, and begins with no digit",
        "tên bí mật chỉ gồm chữ không dấu, số và _, không bắt đầu bằng số",
    ),
    ("there is no secret {name}", "không có bí mật {name}"),
    ("no such secret", "không có bí mật này"),
    (
        "the address of {camera} names it; change that first",
        "địa chỉ của {camera} đang dùng bí mật này; hãy đổi địa chỉ trước",
    ),
    ("in use", "đang được dùng"),
    (
        "this service does not answer to that name; set NGATU_PUBLIC_URL or NGATU_ALLOWED_HOSTS",
        "máy chủ không nhận tên miền này; hãy đặt NGATU_PUBLIC_URL hoặc NGATU_ALLOWED_HOSTS",
    ),
    ("another host", "tên miền khác"),
    ("a request here has at most {most} bytes", "một yêu cầu ở đây có nhiều nhất {most} byte"),
    ("too large", "quá lớn"),
    ("not possible", "không thực hiện được"),
    (
        "something went wrong here; the log has it under {number}",
        "máy chủ gặp lỗi; xem nhật ký máy chủ theo mã {number}",
    ),
    ("our fault", "lỗi của máy chủ"),
)
