"""``ngatu tally``: count a clip by hand in the browser."""

import secrets
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Annotated

import typer

from service.listening import listen
from service.outputs import utc
from service.run import short_name
from service.tally.sheet import ClipFacts, Sheet, TallyError
from vision import load_view
from vision.sources import open_clip

ADDRESS = "127.0.0.1"


def tally(
    clip: Annotated[str, typer.Argument(help="Video file, or folder of images.")],
    view: Annotated[
        Path | None, typer.Option("--view", help="YAML file of the view; else one gate is counted.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write or to go on with.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="Moment of the first frame, local in --tz.",
        ),
    ] = None,
    tz: Annotated[str, typer.Option(help="Time zone of file names.")] = "Asia/Ho_Chi_Minh",
    fps: Annotated[float, typer.Option(min=0.1, max=1000, help="Rate of a folder's images.")] = 1.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page.")] = True,
) -> None:
    """Count CLIP by hand, with the keyboard, to check ngatu's own counts against."""
    # Only here, as they take half a second that other commands do not need.
    import uvicorn

    from service.tally.app import ONLY_GATE, Tally, create_app
    from service.tally.pictures import Pictures

    path = out or Path("ngatu-out") / short_name(clip) / "manual.csv"
    drawn = load_view(view) if view else None
    with open_clip(clip, fps=fps, start=start, tz=tz) as opened:
        facts = ClipFacts(Path(opened.name).name, opened.start, opened.times)
        gates = [gate.id for gate in drawn.gates] if drawn else [ONLY_GATE]
        sheet = Sheet(path, facts, gates)
        counting = Tally(opened, drawn, sheet, Pictures(opened), tz)
        token = secrets.token_urlsafe(24)
        with _listening(port) as listener:
            # After the # it is not sent to anyone, and so stands in no log.
            address = f"http://{ADDRESS}:{listener.getsockname()[1]}/#{token}"
            typer.echo(f"first frame {utc(opened.start)} (from the {opened.start_origin})")
            typer.echo(f"{len(sheet.marks)} marks in {path}")
            typer.echo(f"count at {address} (Ctrl-C ends it)")
            server = uvicorn.Server(
                uvicorn.Config(
                    create_app(counting, token),
                    log_level="warning",
                    access_log=False,
                    server_header=False,
                    timeout_graceful_shutdown=2,
                )
            )
            opened_page = _opened(address, sheet.path.parent) if open_browser else nullcontext()
            with opened_page, suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
    typer.echo(f"{len(sheet.marks)} marks in {path}")


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A socket that only this machine can reach.

    Raises:
        TallyError: the port is taken.
    """
    try:
        listener = listen(ADDRESS, port)
    except OSError as error:
        raise TallyError(f"--port {port}: {error.strerror}; choose another, or 0 for a free one") from None
    with listener:
        yield listener


@contextmanager
def _opened(address: str, folder: Path) -> Iterator[None]:
    """The page opened in the browser.

    A browser's command line can be read by every user of the machine, so it is given not the address with the
    token but a file that only this user may read, and that leads there.
    """
    path = folder / ".open-tally.html"
    with suppress(OSError):
        path.unlink(missing_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(
            f'<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={escape(address)}">'
        )
        webbrowser.open(path.as_uri())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
