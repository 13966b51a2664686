"""Texts of the page that stands for one that cannot be shown."""

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Không mở được trang", "The page cannot be shown"),
    "not_found": ("Không có trang này", "There is no such page"),
    "not_found_step": (
        "Có thể địa chỉ đã gõ sai, hoặc nút giao, camera này không còn nữa.",
        "The address may be mistyped, or the junction or camera is no longer there.",
    ),
    "not_allowed": ("Tài khoản này không được xem trang này", "Your account may not see this page"),
    "not_allowed_step": (
        "Hãy xin người quản trị cấp vai trò cần thiết.",
        "Ask an administrator for the role that it needs.",
    ),
    "away": ("Cơ sở dữ liệu tạm thời không phản hồi", "The database does not answer just now"),
    "away_step": (
        "Việc đếm xe vẫn tiếp tục và số liệu được giữ lại. Hãy thử lại sau ít giây.",
        "Counting goes on and nothing is lost. Try again in some seconds.",
    ),
    "fault": ("Đã có lỗi trên máy chủ", "Something went wrong on the service"),
    "fault_step": (
        "Hãy thử lại. Nếu vẫn lỗi, hãy báo người quản trị kèm mã yêu cầu dưới đây.",
        "Try again. If it stays, tell an administrator the number of the request below.",
    ),
    "request": ("Mã yêu cầu: {id}", "Request: {id}"),
    "home": ("Về màn hình chung", "To the wall"),
}
