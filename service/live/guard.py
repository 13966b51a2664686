"""Watches one camera's picture: whether it is of use, and whether the view still fits what it shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service.live.plan import LOOKS_AS_BEFORE, Entry, Reference
from service.live.state import Picture
from vision import Tracks, View
from vision.health import BackgroundMaker, Health, HealthSettings, HealthWatch

LOOK_EVERY = 0.5
"""Seconds from one look at the picture to the next."""

LEARNING_S = 180.0
"""Seconds of good picture from which the reference picture of a view is made, where there is none."""

RETURNED_S = 60.0
"""A camera that shows its reference picture again for so long has turned back by itself."""

FIRST_PICTURE = "ngatu: the view's first picture"
"""Who confirmed a view that nobody has looked at since its picture was made."""

OFF_THE_ROAD = 0.35
"""A gate still lies on the road where both its ends moved by less than this share of its length."""

_SETTINGS = HealthSettings()
CERTAIN_AFTER = {"frozen": _SETTINGS.frozen_seconds, "blocked": _SETTINGS.blocked_seconds}
"""Seconds from when something is wrong until it is told; of other states ``enter_seconds``."""

Write = Callable[[Reference], None]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be done with a picture.

    Attributes:
        count: whether crossings may be counted.
        figures: whether speeds, densities and incidents may be recorded too.
        spoilt_since: where nothing may be counted, since when.
    """

    count: bool
    figures: bool
    spoilt_since: float = 0.0


class Guard:
    """Watches one camera's picture.

    When the camera has moved, the view is not trusted until somebody confirms it, a new one is drawn, or the
    camera shows the old picture again for ``RETURNED_S``. Until then no speeds and densities are recorded;
    counts go on only while every gate still lies on the road.

    Args:
        entry: the camera and its view.
        save: keeps a reference picture; one whose picture is empty only changes who confirmed it.

    Attributes:
        picture: what the last look said.
    """

    def __init__(self, entry: Entry, save: Write) -> None:
        self.picture = Picture()
        self._entry = entry
        self._save = save
        self._reference: Reference | None = None
        self._unconfirmed: float | None = None
        self._good_since: float | None = None
        self._health: Health | None = None
        self._looked = float("-inf")
        self._begin(None)

    def refer(self, reference: Reference) -> None:
        """Take the view's picture from the database, new or newly confirmed."""
        known, self._reference = self._reference, reference
        if known is None or known.made_at != reference.made_at:
            picture: Any = cv2.imdecode(np.frombuffer(reference.picture, np.uint8), cv2.IMREAD_COLOR)
            self._begin(picture)
        if reference.confirmed_at is None:
            self._unconfirmed = self._unconfirmed or reference.made_at
        elif self._unconfirmed is not None and reference.confirmed_at > self._unconfirmed:
            self._unconfirmed = None
            if self._health is not None and self._health.state == "moved":
                # Somebody says that the view fits what is seen now: that is the picture from now on.
                self._begin(None)

    def look(self, image: Image, time: float, tracks: Tracks) -> Verdict:
        """Take a frame, and the vehicles seen last; what may be done with it."""
        if time - self._looked >= LOOK_EVERY:
            self._looked = time
            self._health = self._watch.look(image, time)
            self._follow(self._health, time)
            if self._health.state == "ok":
                self._learn(image, time, tracks)
        health = self._health
        if health is None or health.state == "ok":
            return Verdict(count=True, figures=self._unconfirmed is None)
        if health.state == "moved" and self._entry.view and gates_hold(self._entry.view, health):
            return Verdict(count=True, figures=False)
        return Verdict(count=False, figures=False, spoilt_since=_begun(health))

    @property
    def background(self) -> Image | None:
        """The empty street while the camera looks where it did; None where it is not known or has moved."""
        return self._background if self._unconfirmed is None else None

    def _begin(self, reference: Image | None) -> None:
        """Compare with another reference from now on, or learn one."""
        self._watch = HealthWatch(reference)
        self._background = reference
        wanted = reference is None and self._entry.view is not None
        self._learning: BackgroundMaker | None = BackgroundMaker() if wanted else None
        self._learned_s = 0.0
        self._health = None

    def _follow(self, health: Health, time: float) -> None:
        if health.state == "moved" and self._unconfirmed is None and self._entry.view is not None:
            self._unconfirmed = _begun(health)
            self._confirm(None, "")
        self._good_since = (self._good_since or time) if health.state == "ok" else None
        returned = self._good_since is not None and time - self._good_since >= RETURNED_S
        if self._unconfirmed is not None and returned and self._learning is None:
            self._unconfirmed = None
            self._confirm(time, LOOKS_AS_BEFORE)
        if health.state == "ok" and self._unconfirmed is not None:
            reason = (
                "it shows its old picture again; the view is trusted again once that lasts or is confirmed"
            )
            self.picture = Picture("moved", self._unconfirmed, reason)
        elif health.state == "ok":
            self.picture = Picture("live", health.since, self._entry.why)
        else:
            self.picture = Picture(health.state, _begun(health), health.reason)

    def _confirm(self, at: float | None, by: str) -> None:
        old = self._reference
        if old is not None:
            self._reference = Reference(old.camera, old.view_sha256, old.made_at, at, by, old.picture)
            self._save(Reference(old.camera, old.view_sha256, old.made_at, at, by, b""))

    def _learn(self, image: Image, time: float, tracks: Tracks) -> None:
        if self._learning is None:
            return
        self._learning.add(image, time, tracks.xyxy)
        self._learned_s += LOOK_EVERY
        if self._learned_s < LEARNING_S:
            return
        picture = self._learning.picture()
        if picture is None:
            return
        encoded: Any = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        old = self._reference
        confirmed, by = (old.confirmed_at, old.confirmed_by) if old else (time, FIRST_PICTURE)
        self._reference = Reference(
            self._entry.camera, self._entry.view_sha256, time, confirmed, by, encoded.tobytes()
        )
        self._begin(picture)
        self._save(self._reference)


def _begun(health: Health) -> float:
    """When what is wrong began: some time before it was certain."""
    return health.since - CERTAIN_AFTER.get(health.state, _SETTINGS.enter_seconds)


def gates_hold(view: View, health: Health) -> bool:
    """Whether every gate still lies on the road although the camera has moved.

    By the transform that the health gives, where each end of a gate would now have to be drawn: it must lie
    within ``OFF_THE_ROAD`` of the gate's length of where it is drawn. Where no transform is known: no.
    """
    matrix = health.transform
    if matrix is None:
        return False
    lines = view.gate_lines((1, 1))
    moved = lines @ matrix[:2, :2].T + matrix[:2, 2]
    away = np.linalg.norm(moved - lines, axis=2).max(axis=1)
    length = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
    return bool((away < OFF_THE_ROAD * length).all())
