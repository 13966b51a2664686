"""How far a batch is, as numbers and on the terminal."""

import pytest
from rich.console import Console

from service.batch.progress import Progress
from service.batch.show import progress_table


def test_speed_and_time_left_are_those_of_the_last_stretches() -> None:
    now = 100.0
    progress = Progress(clock=lambda: now)
    progress.of("cam1").frames = 1000
    assert progress.speed is None
    assert progress.remaining is None
    for _ in range(3):
        progress.add("cam1", 100)
        now += 2.0
    assert progress.speed == pytest.approx(50.0)
    assert progress.remaining == pytest.approx(14.0)


def test_the_table_tells_each_camera_and_all_of_them() -> None:
    now = 0.0
    progress = Progress(clock=lambda: now)
    for camera in ("cam1", "cam[2]"):
        progress.of(camera).frames = 400
        progress.of(camera).recordings = 2
        now += 1.0
        progress.add(camera, 100)
    progress.of("cam[2]").failures = 1
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as told:
        console.print(progress_table(progress))
    text = told.get()
    assert "cam1" in text
    assert "cam[2]" in text
    assert "25%" in text
    assert "all 2" in text
    assert "100 frames/s, 0:00:06 left" in text
