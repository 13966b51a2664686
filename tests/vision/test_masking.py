"""Secrets of camera addresses never show: addresses of any form, FFmpeg's words, errors and their causes."""

import logging

import pytest

from vision.errors import SourceError
from vision.sources import mask_address, open_source

SECRETS = ("s3", "cret", "w0rd", "YWRtaW4")

FORMS = {
    "user and password": "rtsp://admin:s3cret@10.0.0.5:554/x",
    "upper-case scheme": "RTSP://admin:s3cret@10.0.0.5:554/x",
    "encoded at sign": "rtsp://admin:s3cret%40w0rd%2F@10.0.0.5:554/x",
    "unencoded at sign and slash": "rtsp://admin:s3cret@w0rd/cret@10.0.0.5:554/x",
    "question mark": "rtsp://admin:s3cret?w0rd@10.0.0.5:554/x",
    "token as user": "rtsp://s3cret@10.0.0.5:554/x",
    "token in the query": "rtsp://10.0.0.5:554/x?token=s3cret",
    "login in the query": "rtsp://10.0.0.5:554/x?channel=1&user=admin&pwd=s3cret",
    "login of recorders in the path": "rtsp://10.0.0.5:554/user=admin_password=s3cret_channel=1_stream=0.sdp",
    "parameter": "rtsp://10.0.0.5:554/x?a;token=s3cret",
    "fragment": "rtsp://10.0.0.5:554/x#s3cret",
    "IPv6 host": "rtsp://admin:s3cret@[fe80::1]:554/x",
    "space": "rtsp://admin:s3cret w0rd@10.0.0.5:554/x",
    "several spaces": "rtsp://admin:s3cret w0rd s3cret@10.0.0.5:554/x",
    "line break": "rtsp://admin:s3cret\nw0rd@10.0.0.5:554/x",
    "tab after digits": "rtsp://admin:12\ts3cret@10.0.0.5:554/x",
    "encoded line break": "rtsp://admin:s3cret%0a@10.0.0.5:554/x",
    "wide at sign": "rtsp://admin:s3cret\uff2010.0.0.5:554/x",
    "wholly encoded": "rtsp%3A%2F%2Fadmin%3As3cret%4010.0.0.5%3A554",
    "as JSON": '{"address": "rtsp:\\/\\/admin:s3cret@10.0.0.5:554\\/x", "password": "s3cret"}',
    "bytes": "b'rtsp://admin:s3cret@10.0.0.5:554/x'",
    "no scheme": "//admin:s3cret@10.0.0.5:554/x",
    "FFmpeg's name of a connection": "tcp://admin:s3cret@10.0.0.5:554?timeout=5",
    "FFmpeg's digest": '10.0.0.5\nAuthorization: Digest username="admin", realm="x", response="s3cret"',
    "FFmpeg's challenge": '10.0.0.5: 401 Unauthorized, Digest realm="s3cret", nonce="cret"',
    "basic login": "10.0.0.5 asked for Basic YWRtaW46czNjcmV0",
    "bearer": "10.0.0.5 got Bearer s3cret.w0rd",
    "cookie": "10.0.0.5\nSet-Cookie: session=s3cret",
    "setting": "host=10.0.0.5 password=s3cret",
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form_is_masked_and_the_place_is_still_told(text: str) -> None:
    for quoted in (text, f"cannot open {text!r}: refused", f"[tcp @ 0x55] {text} failed (try 2)"):
        masked = mask_address(quoted)
        assert not any(secret in masked for secret in SECRETS), masked
        assert mask_address(masked) == masked
    assert "10.0.0.5" in mask_address(text) or "fe80::1" in mask_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.0.0.5:554/live is offline, next try in 2 s",
        "rtsp://[fe80::1]:554/live",
        "the camera refuses this user name or password; correct them in the address",
        "frame 12 at 08:54:36, mail traffic@example.org",
        "no answer within 4 s; check that the camera is on and its network reachable",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_address(text) == text


@pytest.mark.parametrize(
    "login",
    ["admin:s3cret@", "admin:s3cret%40w0rd@", "admin:s3cret@w0rd/@", "s3cret@", "ADMIN:s3cret w0rd@"],
)
@pytest.mark.parametrize(
    "rest", ["127.0.0.1:9/x", "127.0.0.1:9/x?token=s3cret", "127.0.0.1:99999/x", "[::1]:9/"]
)
def test_errors_hold_no_secret(
    login: str, rest: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    address = "rtsp://" + login + rest
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError) as caught:
        open_source(address, open_timeout=1, read_timeout=1)
    said = "\n".join((str(caught.value), repr(caught.value), *map(str, caught.value.args)))
    assert not any(secret in said for secret in SECRETS)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
