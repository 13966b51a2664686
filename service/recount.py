"""Counting stored tracks again with another view."""

from pathlib import Path

from service.count import CountResult, file_sha256, make_folder, versions, write_results
from service.figures import Figures
from service.metrics import ground_of, waited_on
from service.outputs import clock_bins, observed_spans, utc, write_json
from vision import GateCounter, TrackFile, load_view


def recount(tracks: Path, view_path: Path, out: Path, interval: float, tz: str | None = None) -> CountResult:
    """Apply a view to stored tracks: what a full run with that view would have counted.

    Args:
        tracks: tracks.parquet of an earlier count.
        view_path: the view's YAML file.
        out: folder for the results.
        interval: length of the bins in counts.csv, seconds.
        tz: time zone of the bins; None takes that of the earlier count.

    Raises:
        NgatuError: the tracks, the view or the output folder is not usable.
    """
    stored, view = TrackFile(tracks), load_view(view_path)
    ground = ground_of(view, view_path)
    figures = Figures(view, stored.size, interval, ground, stored.about.get("least_rider"))
    make_folder(out)
    counter = GateCounter(view, stored.size)
    result = CountResult(view)
    lights = dict(stored.about.get("lights", []))
    times = []
    for _, moment, seen in stored:
        crossings = counter.update(moment, seen)
        result.crossings += crossings
        figures.add(moment, seen, crossings, lights.get(moment))
        times.append(moment)
    late = counter.finish()
    result.crossings += late
    result.notes += waited_on(counter.lingered(), result.crossings)
    figures.finish(late)
    gaps = [tuple(gap) for gap in stored.about.get("gaps", [])]
    spans = observed_spans(times[0], times[-1], gaps) if times else []
    tz = tz or stored.about.get("time_zone", "Asia/Ho_Chi_Minh")
    write_results(out, result, clock_bins(spans, interval, tz))
    figures.write(out, spans, tz)
    result.summary = {
        "tracks": str(tracks),
        "tracks_sha256": file_sha256(tracks),
        "about_tracks": stored.about,
        "view": {"file": str(view_path), "version": view.version, "name": view.name},
        "start": utc(times[0]) if times else None,
        "end": utc(times[-1]) if times else None,
        "time_zone": tz,
        "frames": {"delivered": len(times), "gaps": [[utc(begin), utc(end)] for begin, end in gaps]},
        "crossings": len(result.crossings),
        "versions": versions(),
    }
    write_json(out / "summary.json", result.summary)
    return result
