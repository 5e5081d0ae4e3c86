from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.storage import ENGINES, Store, open_store


@pytest_asyncio.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, once of each engine: what holds for one holds for all."""
    opened = open_store(request.param, tmp_path)
    yield opened
    await opened.close()
