from collections.abc import Iterator

import pytest

from tests.support.world import RunningWorld, running_world


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorld]:
    """Simulated agencies and a gateway between them; every test uses officers and dossiers of its own."""
    with running_world(tmp_path_factory.mktemp("world")) as running:
        yield running
