"""What every source is to its user: read once, from its first frame to its last, and closed."""

from collections.abc import Generator, Iterator
from typing import Self

from vision.types import Frame


class Stream:
    """Frames that come once, under a name that may be shown. Subclasses set ``name`` and ``_frames``."""

    name: str
    _frames: Generator[Frame]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the decoder or connection; call it from the thread that iterates."""
        self._frames.close()
