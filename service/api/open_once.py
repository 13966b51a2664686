"""Opens one camera address and decodes one picture; runs in a process of its own, with few rights."""

from typing import Any

from vision import NgatuError, open_source


def open_once(address: str, seconds: float) -> dict[str, Any]:
    """What came: width, height, codec and fps, or the problem in one sentence."""
    try:
        with open_source(address, threads=1, open_timeout=seconds / 2, read_timeout=seconds / 2) as source:
            width, height = source.size
            fps = source.nominal_fps
            return {"width": width, "height": height, "codec": source.codec, "fps": fps and round(fps, 2)}
    except NgatuError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": "the picture needs more memory than a test may take; try a smaller stream"}
