"""How an outbox stands, looked at now and then, with the age of what has been waiting longest."""

from collections import deque

from service.live.messages import OutboxLive
from service.storage.outbox import Outbox

_MOST = 4000


class OutboxWatch:
    """Looks at an outbox; messages carry no time, so it remembers when it saw which was the newest."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._newest: deque[tuple[int, float]] = deque(maxlen=_MOST)

    def look(self, now: float) -> OutboxLive:
        """How it stands at a moment, seconds since the epoch."""
        state = self._outbox.state()
        age = None
        if state.waiting and (first := self._outbox.oldest(1)):
            oldest = first[0].number
            newest = oldest + state.waiting - 1
            if not self._newest or newest > self._newest[-1][0]:
                self._newest.append((newest, now))
            while len(self._newest) > 1 and self._newest[0][0] < oldest:
                self._newest.popleft()
            age = max(0.0, now - self._newest[0][1])
        else:
            self._newest.clear()
        return OutboxLive(
            waiting=state.waiting,
            bytes=state.bytes,
            limit=state.limit,
            free=state.free,
            rejected=state.rejected,
            oldest_age_s=age,
            alarm=state.alarm,
        )
