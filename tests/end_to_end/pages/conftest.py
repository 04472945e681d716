"""What tests of whole pages share: one browser for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.docs.pages import browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.docs.pages import Opener


@pytest.fixture(scope="package")
def opened() -> Iterator[Opener]:
    with browser() as opener:
        yield opener
