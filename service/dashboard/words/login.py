"""Texts of logging in and of the one-time link."""

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Đăng nhập", "Log in"),
    "login": ("Tên đăng nhập", "Login"),
    "password": ("Mật khẩu", "Password"),
    "again": ("Nhập lại mật khẩu", "Password once more"),
    "submit": ("Đăng nhập", "Log in"),
    "set": ("Đặt mật khẩu", "Set the password"),
    "invited": (
        "Chào mừng! Hãy đặt mật khẩu cho tài khoản {login}.",
        "Welcome. Set the password of the account {login}.",
    ),
    "length": (
        "Ít nhất 12 ký tự. Một câu dễ nhớ là tốt nhất.",
        "At least 12 characters. A sentence you remember is best.",
    ),
    "differ": ("Hai mật khẩu không giống nhau.", "The two passwords differ."),
    "help": (
        "Quên mật khẩu? Hãy xin người quản trị một liên kết mới.",
        "Forgotten? Ask an administrator for a new link.",
    ),
    "lead": (
        "Số liệu giao thông từ camera của thành phố.",
        "Traffic measurements from the city's cameras.",
    ),
}
