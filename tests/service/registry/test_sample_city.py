"""The sample city shows the project's own junction through the views that its clips are counted with."""

from pathlib import Path

import pytest
import yaml

from service.city_cli import sample_city
from vision import load_view
from vision.views import View

CLIPS = Path(__file__).parents[3] / "sample_videos"


@pytest.mark.parametrize("camera", ["hoa-ban-cam1", "hoa-ban-cam2"])
def test_its_views_are_those_beside_the_clips(camera: str) -> None:
    city = yaml.safe_load(sample_city())
    view = next(each["view"] for each in city["cameras"] if each["id"] == camera)
    beside = CLIPS / f"{camera.replace('hoa-ban-', 'hoa-ban_')}.view.yaml"
    assert View.model_validate(view) == load_view(beside)
