"""Work on a cluster: the same rows as here, and a node that dies in the middle loses nothing."""

from pathlib import Path
from typing import Any

import pytest

from service.batch.detect import choose_detector
from service.batch.progress import Progress
from service.batch.run import BatchOptions, run_batch
from service.batch.work import work_folder
from service.cluster.executor import RayExecutor
from tests.service.batch.recordings import Here, database, engine_of, found_in, pieces, run
from tests.service.cluster.conftest import NODE
from tests.service.storage.traffic import dump
from vision.errors import NgatuError


def dumped(out: Path) -> dict[str, list[tuple[Any, ...]]]:
    engine = engine_of(out)
    found = dump(engine)
    engine.dispose()
    return found


class KillANode(Progress):
    """Kills a node without warning as soon as something is done."""

    cluster: Any = None

    def add(self, camera: str, frames: int) -> None:
        super().add(camera, frames)
        if self.cluster is not None:
            self.cluster.remove_node(sorted(self.cluster.worker_nodes, key=str)[0], allow_graceful=False)
            self.cluster = None


@pytest.mark.timeout(240)
def test_a_node_that_dies_in_the_middle_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    folder = pieces(tmp_path / "rec", 0, 20)
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    assert run(folder, tmp_path / "here", chunk=4.0).failures == []

    progress = KillANode()
    progress.cluster = cluster
    options = BatchOptions(
        database(tmp_path / "there" / "ngatu.db"), choose_detector("ngatu-n"), fps=5.0, chunk=4.0
    )
    with work_folder(tmp_path / "there" / "work") as work, RayExecutor(cluster.address) as executor:
        assert executor.workers == 2
        report = run_batch(found_in(folder), options, work, executor, progress, counters=Here())
    assert len(cluster.worker_nodes) == 1, "it died"
    assert report.failures == []
    assert report.frames == 20 * 5
    assert dumped(tmp_path / "there") == dumped(tmp_path / "here")
    cluster.add_node(**NODE)


def test_no_cluster_there_is_told_in_a_sentence() -> None:
    pytest.importorskip("ray")
    with pytest.raises(NgatuError, match="there is no cluster to join"):
        RayExecutor("127.0.0.1:1")
