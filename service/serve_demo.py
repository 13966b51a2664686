"""The city of ``ngatu serve --demo``: the illustrative one, two of whose cameras replay our clips."""

import shutil
import time
from pathlib import Path
from typing import Any

import yaml

from service.alarms.store import put_rule
from service.city_cli import sample_city
from service.demo import CLIP, CLIP_2, VIEW, VIEW_2, sample_folder
from service.demo_chain import SITE
from service.registry import plan_import, read_files
from service.registry.store import save_changes
from service.storage.connect import open_database, writing
from vision import NgatuError

CAMERAS = {"hoa-ban-cam1": (CLIP, VIEW), "hoa-ban-cam2": (CLIP_2, VIEW_2)}
"""Cameras of the sample junction, the clip that each replays, and what is drawn on it."""

SINCE = 7 * 86_400.0
"""The city has been so for so long, s."""


def make_demo(folder: Path) -> str:
    """A fresh database with the city in it; what an earlier demo left is removed.

    Returns:
        Its URL.

    Raises:
        NgatuError: the folder cannot be written.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "demo.city.yaml"
        file.write_text(yaml.safe_dump(demo_city(), allow_unicode=True, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise NgatuError(f"cannot write {folder}: {error.strerror}; run it in another folder") from None
    url = f"sqlite:///{folder / 'ngatu.db'}"
    engine = open_database(url)
    now = time.time()
    changes = plan_import({}, read_files([file]), now - SINCE).changes
    with writing(engine) as connection:
        # Only our junction is alive; that the others are silent is no news there.
        put_rule(connection, "camera_lost", None, enabled=False, settings={})
        put_rule(connection, "camera_lost", SITE, enabled=True, settings={})
        save_changes(connection, {}, changes, now - SINCE, seen_revision=0, now=now, actor="ngatu serve")
    engine.dispose()
    return url


def demo_city() -> dict[str, Any]:
    """The sample city, two of its cameras turned to our clips."""
    city: dict[str, Any] = yaml.safe_load(sample_city())
    folder = sample_folder()
    for camera in city["cameras"]:
        if camera["id"] in CAMERAS:
            clip, view = CAMERAS[camera["id"]]
            camera["address"] = f"loop:{folder / clip}.mp4"
            camera["view"] = yaml.safe_load((folder / view).read_text(encoding="utf-8"))
    return city
