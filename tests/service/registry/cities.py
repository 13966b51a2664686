"""Cities for tests: a small one written by hand, and random ones whose records fit together."""

from hypothesis import strategies as st

from service.registry import Approach, Camera, CameraView, City, Owner, Record, Ref, Site, Target
from vision.views import View

SMALL = """\
sites:
  - id: cho
    kind: junction
    name: Ngã tư Chợ
    is_key: true
    lat: 21.27
    lon: 106.19
    ward: Phường Bắc Giang
    province: Bắc Ninh
    approaches:
      - {id: north, name: Lê Lợi, bearing: 180, lanes: 2, owner: cho-cam1}
      - {id: south, name: Lê Lợi, bearing: 0, lanes: 2}
  - {id: ga, kind: public_area, name: Ga, is_key: true}
cameras:
  - id: cho-cam1
    site: cho
    address: rtsp://viewer:${CAM_1}@192.0.2.1:554/1
    view:
      version: 1
      gates:
        - {id: n, line: [[0.1, 0.5], [0.9, 0.5]], approach: north}
  - {id: ga-cam1, site: ga}
targets:
  - {kind: junction, share: 0.9}
"""

NAMES = ("a", "b", "c")
ARMS = ("north", "east", "south")
# What no text file keeps: control characters and halves of surrogate pairs.
WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12).map(str.strip)


def view_of(approaches: tuple[str, ...], version: int = 1) -> View:
    """A view with a gate for each approach, or one gate that belongs to none."""
    gates = [{"id": name, "approach": name, "line": [[0.1, 0.5], [0.9, 0.5]]} for name in approaches]
    return View.model_validate(
        {"version": version, "gates": gates or [{"id": "g", "line": [[0.1, 0.5], [0.9, 0.5]]}]}
    )


SQUARE = (
    {"image": [0.1, 0.9], "ground": [0, 0]},
    {"image": [0.9, 0.9], "ground": [10, 0]},
    {"image": [0.7, 0.4], "ground": [10, 20]},
    {"image": [0.3, 0.4], "ground": [0, 20]},
)
"""Four points of a road, seen along it."""


def calibrated(*more: dict[str, object]) -> View:
    """A view of an approach ``north``, calibrated by SQUARE and more points."""
    data = view_of(("north",)).model_dump(by_alias=True)
    return View.model_validate({**data, "calibration": {"points": [*SQUARE, *more]}})


@st.composite
def cities(draw: st.DrawFn) -> dict[Ref, Record]:
    """Up to three sites and four cameras, with all that belongs to them."""
    records: list[Record] = []
    for name in draw(st.sets(st.sampled_from(NAMES), min_size=1)):
        kind = draw(st.sampled_from(["junction", "public_area"]))
        here = draw(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)))
        lat, lon = here or (None, None)
        words = {field: draw(WORDS) for field in ("name", "ward", "province", "note")}
        records.append(Site(id=name, kind=kind, is_key=draw(st.booleans()), lat=lat, lon=lon, **words))
        arms = draw(st.sets(st.sampled_from(ARMS))) if kind == "junction" else set()
        records += [
            Approach(
                site=name,
                id=arm,
                name=draw(WORDS),
                bearing=draw(st.none() | st.floats(0, 359.9)),
                lanes=draw(st.none() | st.integers(1, 6)),
                width_m=draw(st.none() | st.floats(0.5, 50)),
                required=draw(st.booleans()),
            )
            for arm in sorted(arms)
        ]
        cameras = draw(st.integers(0, 2))
        for number in range(cameras):
            camera = f"{name}-cam{number}"
            address = draw(
                st.sampled_from(["", f"rtsp://u:${{P}}@{camera}.example/1", f"${{{name}_{number}}}"])
            )
            smaller = draw(st.sampled_from(["", f"rtsp://u:${{P}}@{camera}.example/2"]))
            records.append(Camera(id=camera, site=name, name=draw(WORDS), address=address, substream=smaller))
            if draw(st.booleans()):
                seen = draw(st.sets(st.sampled_from(sorted(arms)))) if arms else set()
                records.append(CameraView(camera=camera, view=view_of(tuple(sorted(seen)))))
        for arm in sorted(arms) if cameras else ():
            if draw(st.booleans()):
                records.append(Owner(site=name, approach=arm, camera=f"{name}-cam{cameras - 1}"))
    if draw(st.booleans()):
        records.append(Target(kind="junction", share=draw(st.floats(0, 1))))
    return {record.ref: record for record in records}


def same(first: City, second: City) -> bool:
    """Whether two cities say the same."""
    return dict(first) == dict(second)
