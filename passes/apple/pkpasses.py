"""The .pkpasses: several passes in one file, added with one tap (a family's, a set of coupons).

Source: developer.apple.com/documentation/walletpasses/distributing-and-updating-a-pass, "Create a
Bundle of Passes": a ZIP archive of .pkpass files, at most 10 or 150 MB.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from passes.apple import bundle
from passes.apple.bundle import CENTRAL_MARK, DAMAGE, PASS_JSON
from passes.errors import BundleError

MAX_PASSES = 10
MAX_BYTES = 150_000_000
SUFFIX = ".pkpass"

_EARLIEST = (1980, 1, 1, 0, 0, 0)
# The directories of the passes inside are seen too, as they lie there unpacked.
_MOST_ENTRIES = (MAX_PASSES + 1) * (bundle.MAX_FILES + 1)


def write(passes: Sequence[bytes]) -> bytes:
    """Return `passes` (.pkpass files) in one .pkpasses, in their order; equal for equal ones.

    Raises BundleError for none or more than MAX_PASSES, or more than MAX_BYTES in all.
    """
    if not 0 < len(passes) <= MAX_PASSES:
        raise BundleError(
            f"One file holds 1 to {MAX_PASSES} passes, not {len(passes)}: make several files.",
            "too_many_passes",
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for number, made in enumerate(passes, start=1):
            archive.writestr(zipfile.ZipInfo(f"pass{number:02d}{SUFFIX}", _EARLIEST), made)
    data = out.getvalue()
    if len(data) > MAX_BYTES:
        raise BundleError(f"The passes have more than {MAX_BYTES} bytes in all.", "too_large")
    return data


def holds_passes(data: bytes) -> bool:
    """Whether `data` is a ZIP archive of passes, and not one pass (or something else)."""
    if data.count(CENTRAL_MARK) > _MOST_ENTRIES or len(data) > MAX_BYTES:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except DAMAGE:
        return False
    return PASS_JSON not in names and any(name.endswith(SUFFIX) for name in names)


def read(data: bytes) -> Mapping[str, bytes]:
    """Return the passes of a .pkpasses from anyone: name in the archive to .pkpass bytes.

    The passes themselves are not looked into. Raises BundleError, with a code, for anything but
    a plain ZIP archive of at most MAX_PASSES files called .pkpass and MAX_BYTES in all.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(f"The file is larger than {MAX_BYTES} bytes.", "too_large")
    if data.count(CENTRAL_MARK) > _MOST_ENTRIES:
        raise BundleError("The file holds far more than passes.", "too_many_files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_passes(archive)
    except BundleError:
        raise
    except DAMAGE as error:
        raise BundleError(f"The file is not a ZIP archive: {error}.", "not_a_zip") from None


def _read_passes(archive: zipfile.ZipFile) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = MAX_BYTES
    entries = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(entries) > MAX_PASSES:
        raise BundleError(
            f"The file holds {len(entries)} passes; phones take at most {MAX_PASSES}.",
            "too_many_passes",
        )
    for info in entries:
        name = info.orig_filename
        bundle.check_name(name)
        if not name.endswith(SUFFIX):
            raise BundleError(f"{name} is no {SUFFIX} file.", "not_a_pass", name)
        if name in found:
            raise BundleError(f"{name} stands twice in the archive.", "duplicate_entry", name)
        bundle.check_packing(info)
        with archive.open(info) as entry:
            content = entry.read(left + 1)
        left -= len(content)
        if left < 0:
            raise BundleError(f"Unpacked it is larger than {MAX_BYTES} bytes.", "too_large", name)
        found[name] = content
    return found
