"""What the tests of a folder share, given up when the last of them is over.

Fixtures of a session would stay until all tests are over: a browser, a camera that goes on filming
and a service that goes on working take from the tests that come after.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class Shared:
    """Opened by whoever asks first; closed when a process goes on to tests outside *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Any] = {}
        self._stack = ExitStack()

    def get(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What goes by that name, made where nobody has asked for it yet."""
        if name not in self._open:
            self._open[name] = self._stack.enter_context(make())
        found: T = self._open[name]
        return found

    def go_on(self, following: pytest.Item | None) -> None:
        """Close all, the last first, where the *following* test is none of the folder."""
        if following is None or self._folder not in following.path.parents:
            self._open.clear()
            self._stack.close()
