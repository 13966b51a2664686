"""A Ray cluster of several small nodes on this machine."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import missing

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}


@pytest.fixture(scope="package")
def cluster() -> Iterator[Any]:
    """Two nodes of one core each, and a head that works on nothing, so that any that works may die."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    before = os.environ.get("NGATU_CAMERA_FOLDERS")
    os.environ["NGATU_CAMERA_FOLDERS"] = "/"  # the nodes take this environment, and their cameras are clips
    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        missing("cluster", "Ray is not installed (extra cluster)")
    cluster = Cluster(
        initialize_head=True, head_node_args={**NODE, "num_cpus": 0, "include_dashboard": False}
    )
    try:
        for _ in range(2):
            cluster.add_node(**NODE)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()
        os.environ.pop("NGATU_CAMERA_FOLDERS")
        if before is not None:
            os.environ["NGATU_CAMERA_FOLDERS"] = before
