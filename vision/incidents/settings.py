"""When something is an incident: the thresholds, each with its reason."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """Thresholds; seconds, metres, shares, and box sizes (square root of a box's area).

    They are set so that an operator seldom looks in vain: nothing that a signal does every cycle is an
    incident. Motorway systems report a vehicle that stands for some 10 s; on a junction that would be every
    red light. ``docs/methods.md`` says what each rests on.

    Attributes:
        drift_m: a vehicle stands while it is within this distance of where it came to a stand ...
        drift_boxes: ... where the ground is not known: within this many box sizes ...
        still_boxes: ... and in any case while its box has moved by less than this; a box whose lower edge is
            hidden jumps by metres.
        move_s: it has left when it was away from there for this long.
        hidden_s: a standing vehicle may be hidden, and frames missing, for this long; what stands there
            afterwards is taken for the same. Longer gaps between frames end every incident, marked as cut.
        standing_s: seconds seen standing in a no-stop zone, where no signal makes vehicles wait: more than
            it takes to let somebody get off.
        standing_signal_s: the same where a queue may stand: in the zone of an approach, and outside the
            junction in views without such zones. More than a long red light and the queue's start.
        seen_share: a standing vehicle must have been seen for this share of the time; one that is hardly ever
            seen may be several, one after the other.
        least_score: mean detection score of a vehicle that stands or drives the wrong way; lower ones are
            mostly things, or parts of other vehicles.
        wrong_way_boxes: box sizes that a vehicle must have driven on beyond a one-way gate ...
        wrong_way_run: ... and in all since it was first seen; less is reversing or a swapped number.
        blocked_s: seconds for which the junction must be blocked: more than vehicles that turn left wait for
            a gap, less than a green light of the crossing road is lost.
        blocked_pause_s: a blockage goes on over breaks of this length.
        blocked_vehicles: how many vehicles must stand in the junction ...
        blocked_stand_s: ... each for this long ...
        blocked_share: ... and which share of those in it; while others drive through, it is not blocked.
        junction_share: the junction is the hull of the gates, this many times as large about its middle, so
            that who waits at the edge is not in it.
        queue_s: seconds over which the queue must have reached the end of the view, longer than a red light:
            it is there during green too ...
        queue_share: ... at this share of the looks.
        queue_least_m: so long a queue must have been seen; a view that ends sooner says nothing.
        queue_back_s: it is over when in this many seconds ...
        queue_back_share: ... at less than this share of the looks.
        speed_window_s: speeds are means over this long; a whole cycle of any signal lies within.
        speed_before_windows: how many such windows before it make the usual speed, two or more.
        speed_share: a fall is to less than this share of the usual speed ...
        speed_deviations: ... and by more than so many standard deviations of those windows ...
        speed_lasting_s: ... for this long.
        speed_back_share: it is over when the speed is above this share again.
        speed_vehicles: mean number of vehicles in the stretch, both before and now; fewer say nothing.
        speed_least_kmh: usual speed below which there is nothing to fall from.
        unobserved_s: intervals may be unobserved for this long; then queues and speeds begin anew.
    """

    drift_m: float = 1.5
    drift_boxes: float = 0.35
    still_boxes: float = 0.1
    move_s: float = 1.5
    hidden_s: float = 20.0
    standing_s: float = 60.0
    standing_signal_s: float = 150.0
    seen_share: float = 0.75
    least_score: float = 0.3
    wrong_way_boxes: float = 1.2
    wrong_way_run: float = 2.5
    blocked_s: float = 45.0
    blocked_pause_s: float = 5.0
    blocked_vehicles: int = 4
    blocked_stand_s: float = 5.0
    blocked_share: float = 0.6
    junction_share: float = 0.7
    queue_s: float = 180.0
    queue_share: float = 0.9
    queue_least_m: float = 15.0
    queue_back_s: float = 60.0
    queue_back_share: float = 0.5
    speed_window_s: float = 180.0
    speed_before_windows: int = 5
    speed_share: float = 0.5
    speed_deviations: float = 3.0
    speed_lasting_s: float = 60.0
    speed_back_share: float = 0.7
    speed_vehicles: float = 3.0
    speed_least_kmh: float = 10.0
    unobserved_s: float = 60.0

    def of(self, *names: str) -> dict[str, float]:
        """Some of the settings by name, as an incident carries them."""
        known = {each.name for each in fields(self)}
        if unknown := set(names) - known:
            raise KeyError(f"there are no settings {sorted(unknown)}")
        return {name: float(getattr(self, name)) for name in names}
