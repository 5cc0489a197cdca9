"""Private files: who may read them, and how they are written so that none is ever half there."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Misconfigured

_OTHERS = 0o077
_LOCK = ".lock"


def make_private_folder(folder: Path) -> None:
    """Make *folder* for this operating-system account alone, or check that it is that."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise Misconfigured(f"The folder {folder} cannot be used: {error.strerror}.") from error
    if mode & _OTHERS:
        raise Misconfigured(
            f"The folder {folder} is open to other accounts of this machine. "
            f"Close it with: chmod 700 {folder}"
        )


def check_private_file(path: Path, mode: int) -> None:
    """Raise `Misconfigured` when a file of that *mode* is open to other accounts."""
    if mode & _OTHERS:
        raise Misconfigured(
            f"The file {path} is open to other accounts of this machine. "
            f"Close it with: chmod 600 {path}"
        )


def read_private(path: Path, largest: int) -> bytes:
    """The content of a private file of at most *largest* bytes.

    Raises FileNotFoundError, or `Misconfigured` where it is open to others, or too large.
    """
    with path.open("rb") as file:
        check_private_file(path, os.fstat(file.fileno()).st_mode)
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Misconfigured(f"The file {path} is larger than any key file: {largest} bytes.")
    return data


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace *path* by *data*: after a crash there is the old file or the new one, whole.

    Two writers of one path need a lock between them.
    """
    draft = path.with_name(f".{path.name}.tmp")
    # Left over from a crash it could have another mode; a file made anew has ours.
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were added to or taken from *folder* durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold *folder* alone among all processes that ask; waits for its turn."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
