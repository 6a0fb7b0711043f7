"""One project for all tests of this folder: built, up, and deleted with the last test."""

from collections.abc import Iterator

import pytest

from csat.contract.settings import Settings
from tests.containers.engine import Project, project


@pytest.fixture(scope="package")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The containers of a clean clone, up by the one documented command."""
    with project(tmp_path_factory.mktemp("containers")) as running:
        with running.timed("build, seconds"):
            running.compose("build", seconds=1800)
        with running.timed("up, seconds"):
            running.compose("up", "--detach", "--wait", seconds=600)
        yield running


@pytest.fixture(scope="package")
def settings(containers: Project, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """How this machine reaches what the containers publish."""
    return containers.settings(tmp_path_factory.mktemp("state"))
