"""The stream in the test's own process: a driver's start takes most of the time of a driver."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession

from csat.contract.settings import Settings
from spark import stream_responses
from spark.session import build_session
from tests.integration.conftest import World

logger = logging.getLogger(__name__)

Land = Callable[[World], int]


@pytest.fixture(scope="session")
def spark(services: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One session with the stream's options for all tests of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        own = {"state_dir": tmp_path_factory.mktemp("session")}  # tests count the folders of drivers in the services'
        session = build_session(services.model_copy(update=own))
        yield session
        session.stop()


@pytest.fixture
def land(request: pytest.FixtureRequest) -> Land:
    """Lands what the topic has, as a driver does; returns the code with which it would exit.

    With another Spark (DRIVER_PYTHON) it is a driver of its own process.
    """
    if "DRIVER_PYTHON" in os.environ:
        return lambda world: world.start_driver("--catch-up").exit_code()
    here: Land = request.getfixturevalue("land_here")
    return here


@pytest.fixture
def land_here(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Land:
    """As `land`, always in this process, where a test can replace a part."""
    monkeypatch.setattr(stream_responses, "build_session", lambda settings: spark)

    def run(world: World) -> int:
        handler = signal.getsignal(signal.SIGTERM)
        try:
            return stream_responses.run(world.settings, is_catch_up=True)
        except Exception:
            logger.exception("The stream failed")
            return 1
        finally:
            signal.signal(signal.SIGTERM, handler)

    return run
