"""Hides the secrets of camera addresses in any text meant for people or logs."""

import re

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:\\*/\\*/"  # JSON may write \/
# An address ends with the first space, unless what follows it shows that it was one in a password.
_URL = re.compile(rf"({_SCHEME})(\S*(?:\s(?!\S*:\\*/)[^\s@]*@\S*)?)")
# user:password@ with spaces or line breaks in the password; a port has digits only.
_SPACED = re.compile(
    rf"({_SCHEME})(?!\[)[^\s/@:]*:(?!\d*(?:[/?#\s'\"),;\]]|$))(?:(?!\s\S*:\\*/)[^@]){{1,200}}@(?=[\w.\[-])"
)
_ENCODED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*%3A%2F%2F)\S*%40", re.IGNORECASE)
_SCHEMELESS = re.compile(r"(?<![\w:/\\])//[^\s@]*@(?=[\w.\[-])")
_BARE_USERINFO = re.compile(r"(?<![\w/*])[^\s/@:'\"(<]+:[^\s/]+@(?=[\w.\[-])")
_HEADER = re.compile(
    r"((?:(?:proxy-)?authorization|www-authenticate|(?:set-)?cookie|x-[\w-]*(?:token|key))\s*:\s*)[^\r\n]+",
    re.IGNORECASE,
)
# What stands in such a header is quoted without its name, too.
_CHALLENGE = re.compile(
    r"\b(Digest|Basic|Bearer)\s+(?!\*)(?:\w+=[^\r\n]+|[A-Za-z0-9+/=._~-]{5,})", re.IGNORECASE
)
_NAMED = re.compile(
    r"""((?<![\w/])["']?(?:pass(?:word|wd|phrase)?|pwd|psw|token|secret|api_?key)["']?\s*"""
    r"""(?:=|(?<=["'])\s*:)\s*)("[^"]*"|'[^']*'|[^\s,;&}"']+)""",
    re.IGNORECASE,
)
# Only these say nothing but which picture is meant; every other value of a query may be a secret.
_HARMLESS = frozenset({
    "channel", "chn", "ch", "subtype", "stream", "streamtype", "profile", "transport",
    "transportmode", "proto", "unicast",
    "resolution", "fps", "codec", "videocodec", "track", "trackid", "line", "inst", "camera",
})  # fmt: skip
# Some recorders put the login into the path: /user=admin_password=secret_channel=1_stream=0.sdp
_PATH_SECRET = re.compile(
    r"((?:user(?:name)?|usr|login|pass(?:word|wd)?|pwd|psw|auth|token|secret|key|sig(?:nature)?)=)"
    r".*?(?=_(?:channel|stream|password|passwd|pwd|psw)\b|_(?:channel|stream|password|passwd|pwd|psw)=|[&;/]|$)",
    re.IGNORECASE,
)
# A long run of letters and digits in a path is a key to the stream, not the name of one.
_PATH_KEY = re.compile(r"(?<=/)(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}(?=/|$)")


def mask_address(text: str) -> str:
    """Return ``text`` with every login, password, token and key of the addresses in it replaced by ``***``.

    It works on a bare address and on any message that quotes one. In doubt it hides too much.

    Example:
        >>> mask_address("rtsp://admin:s3cret@10.0.0.5:554/cam?channel=1&token=abc")
        'rtsp://***@10.0.0.5:554/cam?channel=1&token=***'
    """
    text = _HEADER.sub(r"\1***", text.replace("\uff20", "@"))
    text = _CHALLENGE.sub(r"\1 ***", text)
    text = _SPACED.sub(r"\1***@", text)
    text = _URL.sub(lambda match: match[1] + _mask_rest(match[2]), text)
    text = _ENCODED.sub(r"\1***%40", text)
    text = _SCHEMELESS.sub("//***@", text)
    text = _NAMED.sub(r"\1***", text)
    return _BARE_USERINFO.sub("***@", text)


def _mask_rest(rest: str) -> str:
    """Mask what follows ``scheme://``."""
    # Passwords hold unescaped '@', '/' and '?' in practice: everything up to the last '@' may be one.
    _, at, place = rest.rpartition("@")
    place, mark, query = place.partition("?" if "?" in place else "#")
    place = _PATH_KEY.sub("***", _PATH_SECRET.sub(r"\1***", place))
    return ("***@" if at else "") + place + mark + _mask_query(query)


def _mask_query(query: str) -> str:
    body = query.rstrip("'\"),.;:]>")  # punctuation of the sentence around the address
    parts = re.split(r"([&;#])", body)
    return "".join(_mask_pair(part) for part in parts) + query[len(body) :]


def _mask_pair(part: str) -> str:
    key, equals, value = part.partition("=")
    if not part or part in "&;#" or (equals and key.lower() in _HARMLESS and len(value) <= 12):
        return part
    return f"{key}=***" if equals else "***"
