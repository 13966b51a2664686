"""Watches one camera's picture and tells what is wrong with it, with hysteresis both ways."""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.health.detail import Detail
from vision.health.frozen import FreezeWatch
from vision.health.place import PlaceWatch
from vision.health.records import Health, HealthSettings, HealthState

# A picture with nothing in it repeats too, once an encoder has taken the noise away: freezing comes later.
_WORST_FIRST: tuple[HealthState, ...] = ("dark", "blinded", "blocked", "frozen", "blurred", "moved")
_WORK_WIDTH = 640
_SMALL_AREA = 320 * 180
_RING = 5
"""Pictures in the median that focus, cover and position are judged on."""
_RING_EVERY = 1.0
_GAP = 10.0
"""Seconds without a look after which what was seen before is forgotten."""
_GLARE = 0.12
"""Overexposed share from which lost detail is put down to glare."""
_LIKE = 0.6
"""Correlation of tiny pictures from which lost detail is put down to focus: the scene is still there."""


class _Fault:
    """One fault with its hysteresis."""

    def __init__(self, enter: float, leave: float) -> None:
        self._enter, self._leave = enter, leave
        self._turned: float | None = None
        self.active = False

    @property
    def pending(self) -> bool:
        return self._turned is not None

    def take(self, found: bool | None, time: float) -> None:
        """One finding; None says that nothing could be found out, and changes nothing."""
        if found is None:
            return
        if found == self.active:
            self._turned = None
            return
        if self._turned is None:
            self._turned = time
        if time - self._turned >= (self._leave if self.active else self._enter) - 1e-6:
            self.active, self._turned = found, None


class HealthWatch:
    """Watches one camera; give it some pictures a second, in order of time.

    Args:
        reference: the picture the view was drawn on, ``uint8[H, W, 3]`` BGR or ``uint8[H, W]``, of any size;
            best without vehicles, see :class:`vision.health.BackgroundMaker`. Without it nothing is said to
            have moved.
        settings: thresholds.
    """

    def __init__(
        self, reference: NDArray[np.uint8] | None = None, settings: HealthSettings | None = None
    ) -> None:
        self._reference = None if reference is None else _grey(reference)
        self._settings = settings or HealthSettings()
        self._reset((0, 0), (0, 0))

    def _reset(self, size: tuple[int, int], work_size: tuple[int, int]) -> None:
        """Begin anew, for pictures of a size of which copies of another are looked at."""
        of = self._settings
        self._size = size
        self._freeze = FreezeWatch(of)
        self._faults = {state: _Fault(of.enter_seconds, 0.0) for state in _WORST_FIRST}
        self._faults["frozen"] = _Fault(0.0, 0.0)
        self._faults["dark"] = _Fault(of.enter_seconds, of.leave_seconds)
        self._faults["blinded"] = _Fault(of.enter_seconds, of.leave_seconds)
        self._faults["blocked"] = _Fault(of.blocked_seconds, 0.0)
        self._ring: deque[NDArray[np.uint8]] = deque(maxlen=_RING)
        self._ring_time = self._checked = -np.inf
        self._last: float | None = None
        self._anchor: Detail | None = None
        self._anchor_time = -np.inf
        self._before: Detail | None = None
        self._place: PlaceWatch | None = None
        self._measures: dict[str, float] = {}
        self._health: Health | None = None
        if self._reference is not None and size != (0, 0):
            work = _resized(self._reference, work_size)
            # A reference with less detail than the picture, because it was enlarged, tells nothing of focus,
            # nor does one of a larger picture: it is of another stream, which is sharper.
            if work_size[0] <= self._reference.shape[1] <= size[0]:
                self._before = Detail.of(work)
            self._place = PlaceWatch(_small(work), of)

    def look(self, image: NDArray[np.uint8], time: float) -> Health:
        """How the picture is.

        Args:
            image: ``uint8[H, W, 3]``, BGR, of any size, or ``uint8[H, W]``.
            time: its time in seconds; pictures sooner than ``look_every`` after the last look cost nothing.
        """
        if (
            self._health
            and self._last is not None
            and 0 <= time - self._last < self._settings.look_every - 1e-3
        ):
            return self._health
        grey = _work(image)
        size = (image.shape[1], image.shape[0])
        if size != self._size:
            self._reset(size, (grey.shape[1], grey.shape[0]))
        elif self._last is not None and not 0 <= time - self._last < _GAP:
            self._freeze.forget()
            self._ring.clear()
            self._ring_time = -np.inf
        self._last = time
        self._glance(grey, time)
        if time - self._ring_time >= _RING_EVERY - 1e-3:
            self._ring.append(grey)
            self._ring_time = time
        alert = any(fault.pending or fault.active for fault in self._faults.values())
        due = time - self._checked >= (_RING_EVERY if alert else self._settings.check_every) - 1e-3
        dark = self._faults["dark"]
        if due and not (dark.active or dark.pending) and len(self._ring) == _RING:
            self._checked = time
            self._check(time)
        return self._tell(time)

    def _glance(self, grey: NDArray[np.uint8], time: float) -> None:
        """What every look finds out: frozen, dark, overexposed."""
        of, faults, measures = self._settings, self._faults, self._measures
        step = max(1, round((grey.size / _SMALL_AREA) ** 0.5))
        frozen, repeated = self._freeze.look(np.ascontiguousarray(grey[::step, ::step]), time)
        faults["frozen"].take(frozen, time)
        measures.pop("repeated", None)
        if repeated is not None:
            measures["repeated"] = repeated
        # The top and bottom tenth, often burnt-in texts, are left out.
        margin = grey.shape[0] // 10
        tiny = _resized(grey[margin : grey.shape[0] - margin], (80, 36))
        bright = float(np.percentile(tiny, 90))
        over = float((tiny >= 245).mean())
        measures |= {"bright": bright, "overexposed": over}
        faults["dark"].take(bright < of.dark_level * (1.3 if faults["dark"].active else 1.0), time)
        self._over = over >= of.blinded_share * (0.8 if faults["blinded"].active else 1.0)
        if self._over or not self._glare_held():
            faults["blinded"].take(self._over, time)

    def _glare_held(self) -> bool:
        """Whether glare that hides detail, which only a check can see the end of, is what blinds."""
        return self._measures.get("glare", 0.0) > 0

    def _check(self, time: float) -> None:
        """What is found out now and then on a median: cover, focus, position."""
        of, faults, measures = self._settings, self._faults, self._measures
        median = _median(list(self._ring))
        now = Detail.of(median)
        hidden, soft = self._cover(now), self._soft(now)
        lost = hidden or soft
        glare = lost and measures["overexposed"] >= _GLARE
        measures["glare"] = float(glare)
        if glare:
            faults["blinded"].take(True, time)
            hidden = soft = False
        elif faults["blinded"].active or faults["blinded"].pending:
            if not self._over:
                faults["blinded"].take(False, time)
            if lost or self._over:
                return
        faults["blocked"].take(hidden, time)
        faults["blurred"].take(soft and not hidden, time)
        clean = not lost and not any(
            faults[state].active or faults[state].pending for state in ("blinded", "blocked", "blurred")
        )
        for name in ("shift", "match", "rotation_deg", "zoom"):
            measures.pop(name, None)
        measures["position_checked"] = 0.0
        if self._place and clean:
            moved = faults["moved"]
            found = self._place.check(_small(median), now.share, time, moved.active, moved.pending)
            measures |= self._place.measures
            moved.take(found, time)
            clean = not moved.active and not moved.pending
        if clean and time - self._anchor_time >= of.anchor_seconds:
            self._anchor, self._anchor_time = now, time

    def _cover(self, now: Detail) -> bool:
        """Whether something hides the scene."""
        of, measures = self._settings, self._measures
        active = self._faults["blocked"].active
        measures["detail"] = now.share
        left = now.left_of(self._anchor) if self._anchor else None
        measures.pop("detail_left", None)
        if left is None or self._anchor is None:
            return now.share < of.blank_share * (2.0 if active else 1.0)
        measures["detail_left"] = left
        gone = left < of.blocked_share * (1.25 if active else 1.0) or now.share < of.blank_share
        return gone and now.likeness(self._anchor) < _LIKE

    def _soft(self, now: Detail) -> bool:
        """Whether edges have lost their sharpness."""
        of, measures = self._settings, self._measures
        ease = 1.12 if self._faults["blurred"].active else 1.0
        ratios = [now.sharpness_against(each) for each in (self._before, self._anchor) if each]
        known = [ratio for ratio in ratios if ratio is not None]
        sharpness = now.sharpness
        measures.pop("sharpness", None)
        measures.pop("sharpness_ratio", None)
        if sharpness is not None:
            measures["sharpness"] = sharpness
        if known:
            measures["sharpness_ratio"] = min(known)
        if sharpness is not None and sharpness < of.blurred_level * ease:
            # A camera that was as soft when its reference was taken is soft by nature.
            return not known or min(known) < 0.85
        if known and min(known) < of.blurred_ratio * ease:
            return True
        left = measures.get("detail_left")
        return left is not None and left < of.blocked_share and sharpness is None

    def _tell(self, time: float) -> Health:
        state: HealthState = next((each for each in _WORST_FIRST if self._faults[each].active), "ok")
        same = self._health is not None and self._health.state == state
        since = self._health.since if same and self._health else time
        transform = self._place.transform if self._place else None
        self._health = Health(
            state, since, _reason(state, self._measures, self._settings), dict(self._measures), transform
        )
        return self._health


def _reason(state: HealthState, measures: dict[str, float], of: HealthSettings) -> str:
    """The sentence for a state."""
    get = measures.get
    if state == "frozen":
        return (
            f"{get('repeated', 1.0):.0%} of the pictures of the last {of.frozen_seconds:.0f} s repeat an "
            "earlier one, though frames arrive"
        )
    if state == "dark":
        return f"nine tenths of the picture are darker than {get('bright', 0):.0f} of 255 grey levels"
    if state == "blinded":
        what = f"{get('overexposed', 0):.0%} of the picture is overexposed"
        return f"{what} and glare hides the rest" if get("glare") else what
    if state == "blocked":
        if "detail_left" in measures:
            return f"only {measures['detail_left']:.0%} of what had detail before has any now: it is covered"
        return f"only {get('detail', 0):.0%} of the picture has any detail: something covers the lens"
    if state == "blurred":
        if "sharpness_ratio" in measures:
            return f"edges are {measures['sharpness_ratio']:.0%} as sharp as in the reference or earlier"
        return f"edges have a sharpness of {get('sharpness', 1.0):.2f}, a picture in focus at least 1.5"
    if state == "moved":
        if "shift" in measures:
            return f"the picture has shifted by {measures['shift']:.1%} of its width against the reference"
        return "the camera looks elsewhere: nothing of the reference or of the earlier picture is recognised"
    if get("position_checked"):
        return f"the picture is good and in its place (shift {get('shift', 0):.1%} of its width)"
    return "nothing is wrong with the picture; whether the camera moved could not be checked just now"


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _work(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey copy of at most 640 pixels width."""
    height, width = image.shape[:2]
    if width > _WORK_WIDTH:
        size = (_WORK_WIDTH, round(height * _WORK_WIDTH / width))
        return _grey(_resized(image, size))
    return _grey(image).copy()


def _small(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of some 57,600 pixels."""
    height, width = grey.shape
    scale = (_SMALL_AREA / (width * height)) ** 0.5
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _resized(grey, size)


def _median(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The median of five pictures by seven exchanges, much faster than sorting."""
    p = list(pictures)
    for a, b in ((0, 1), (3, 4), (0, 3), (1, 4), (1, 2), (2, 3), (1, 2)):
        p[a], p[b] = np.minimum(p[a], p[b]), np.maximum(p[a], p[b])
    return p[2]
