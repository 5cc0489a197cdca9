"""The .pkpass: a ZIP archive of pass.json, images, the manifest of SHA-1 hashes and its signature.

A PassTemplate hashes, deflates and lays out a design's files once. Per pass only pass.json, the
manifest and the signature are new: they stand last in the archive, uncompressed, so that
everything before them, and its part of the directory, is copied as it is.
Source of the archive's records: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from passes.apple.signature import PassSigner
from passes.errors import BundleError

MAX_BYTES = 20_000_000
MAX_FILES = 200
_MAX_NAME = 255

PASS_JSON, MANIFEST, SIGNATURE = "pass.json", "manifest.json", "signature"
MADE_PER_PASS = frozenset({PASS_JSON, MANIFEST, SIGNATURE})

_STORED, _DEFLATED = 0, 8
_UTF8_NAMES = 0x0800
_VERSION_NEEDED = 20
# 1980-01-01 00:00, the earliest an archive can say: no clock here, and equal passes are equal.
_TIME, _DATE = 0, 0x0021
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
#: CRC-32 and the two sizes, as they stand in both records; and an offset.
_SUMS, _OFFSET = struct.Struct("<III"), struct.Struct("<I")
_LOCAL_MARK, CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
#: What zipfile raises at an archive that is none, or is damaged.
DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Laid:
    """A file as it stands in the archive: local record with its data, directory's facts."""

    record: bytes
    method: int
    crc: int
    packed: int
    size: int
    sha1: str


class PassTemplate:
    """A design's files, laid out once. Safe to share between threads.

    `images` maps a file's name in the pass ("icon@2x.png", "de.lproj/pass.strings") to its
    bytes. Raises BundleError for a name that leaves the archive or is made per pass, and for
    more than a phone should be asked to take.
    """

    def __init__(self, images: Mapping[str, bytes], *, base: PassTemplate | None = None) -> None:
        """Lay `images` out; the files of `base`, laid out before, come first and as they are."""
        laid: dict[str, _Laid] = {} if base is None else dict(base._laid)
        if len(images.keys() | laid.keys()) > MAX_FILES - len(MADE_PER_PASS):
            raise BundleError(f"A pass holds at most {MAX_FILES} files.", "too_many_files")
        total = sum(each.size for each in laid.values()) + sum(map(len, images.values()))
        if total > MAX_BYTES:
            raise BundleError(f"A pass holds at most {MAX_BYTES} bytes.", "too_large")
        for name, data in images.items():
            check_name(name)
            if name in MADE_PER_PASS:
                raise BundleError(f"{name} is made for each pass.", "reserved_name", name)
            laid[name] = _lay(name, data)
        self._laid: Mapping[str, _Laid] = laid
        local, central, offset = [], [], 0
        for name, each in laid.items():
            central.append(_central(name, each.method, each.crc, each.packed, each.size, offset))
            local.append(each.record)
            offset += len(each.record)
        self._local = b"".join(local)
        self._central = b"".join(central)
        self._count = len(laid) + len(MADE_PER_PASS)
        listed = "".join(f'{json.dumps(name)}:"{each.sha1}",' for name, each in laid.items())
        self._manifest_head = f'{{{listed}"{PASS_JSON}":"'.encode()
        #: Which files these are: two templates with one mark are the same.
        self.mark = hashlib.blake2b(self._local, digest_size=16).digest()

    def build(self, pass_json: bytes, signer: PassSigner, signing_time: datetime) -> bytes:
        """Return the .pkpass of `pass_json`, signed by `signer` at `signing_time` (aware)."""
        return self.put_together(*self.own_parts(pass_json, signer, signing_time))

    def own_parts(
        self, pass_json: bytes, signer: PassSigner, signing_time: datetime
    ) -> tuple[bytes, bytes]:
        """Return what is a pass's own, and no other's: its files, and the end of the directory.

        A few kilobytes, of which `put_together` makes the .pkpass again without a signature.
        """
        digest = hashlib.sha1(pass_json, usedforsecurity=False).hexdigest()
        manifest = b'%b%b"}' % (self._manifest_head, digest.encode())
        signature = signer.sign(manifest, signing_time)
        parts: list[bytes] = []
        listed: list[int | bytes] = []
        offset = len(self._local)
        for data, frame in zip((pass_json, manifest, signature), _LAST, strict=True):
            crc, size = zlib.crc32(data), len(data)
            parts += frame.record.pack(frame.before, crc, size, size, frame.after), data
            listed += frame.listed, crc, size, size, frame.attributes, offset, frame.name
            offset += frame.record.size + size
        directory = len(self._central) + _LISTED_BYTES
        end = _LISTED.pack(*listed, _END_MARK, 0, 0, self._count, self._count, directory, offset, 0)
        return b"".join(parts), end

    def put_together(self, files: bytes, end: bytes) -> bytes:
        """Return the .pkpass of the two parts that `own_parts` of an equal template gave."""
        return b"".join(self.parts(files, end))

    def parts(self, files: bytes, end: bytes) -> tuple[bytes, ...]:
        """Return the same uncopied: what follows one another in the .pkpass."""
        return self._local, files, self._central, end


class _Frame(NamedTuple):
    """The records of a file that is made per pass, cut where its sums and its offset go."""

    #: The local record: what comes before the sums, they, and what comes after.
    record: struct.Struct
    before: bytes
    after: bytes
    listed: bytes
    attributes: bytes
    name: bytes

    @classmethod
    def of(cls, name: str) -> _Frame:
        """The frame of the file `name`."""
        local = _local(name, _STORED, 0, 0, 0)
        central = _central(name, _STORED, 0, 0, 0, 0)
        # Both records have their sums behind the date; the directory's offset ends its fixed part.
        at, listed_at, end = 14, 16, _CENTRAL.size - _OFFSET.size
        after = local[at + _SUMS.size :]
        return cls(
            record=struct.Struct(f"<{at}sIII{len(after)}s"),
            before=local[:at],
            after=after,
            listed=central[:listed_at],
            attributes=central[listed_at + _SUMS.size : end],
            name=central[_CENTRAL.size :],
        )

    @property
    def listed_form(self) -> str:
        """How the directory's record is packed, with its sums and its offset."""
        return f"{len(self.listed)}sIII{len(self.attributes)}sI{len(self.name)}s"


def read(data: bytes) -> dict[str, bytes]:
    """Return the files of a .pkpass from anyone: name to bytes, folders left out.

    Raises BundleError, with a code, for anything but a plain ZIP archive of at most MAX_FILES
    files and MAX_BYTES bytes unpacked, whose names are unique and stay inside it.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(f"The file is larger than {MAX_BYTES} bytes.", "too_large")
    # Counted before parsing, so that a directory of a million entries costs nothing.
    if data.count(CENTRAL_MARK) > MAX_FILES:
        raise BundleError(f"The file holds more than {MAX_FILES} files.", "too_many_files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_entries(archive)
    except BundleError:
        raise
    except DAMAGE as error:
        raise BundleError(f"The file is not a ZIP archive: {error}.", "not_a_zip") from None


def padding(data: bytes) -> tuple[int, int]:
    """Return how many bytes stand before and after the ZIP archive that `data` holds.

    `data` is what `read` has taken. An archive's comment belongs to it (4.3.16).
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first = min((info.header_offset for info in archive.infolist()), default=0)
    # Found as the reader finds it: at the very end, else the last that there is.
    end = len(data) - _END.size
    if data[end : end + 4] != _END_MARK or data[-2:] != b"\0\0":
        end = data.rfind(_END_MARK)
    (comment,) = struct.unpack_from("<H", data, end + _END.size - 2)
    return max(0, first), max(0, len(data) - end - _END.size - comment)


def _read_entries(archive: zipfile.ZipFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    left = MAX_BYTES
    for info in archive.infolist():
        name = info.orig_filename
        check_name(name.removesuffix("/"))
        if name in seen:
            raise BundleError(f"{name} stands twice in the archive.", "duplicate_entry", name)
        seen.add(name)
        check_packing(info)
        if name.endswith("/"):
            continue
        with archive.open(info) as entry:
            content = entry.read(left + 1)
        left -= len(content)
        if left < 0:
            raise BundleError(f"Unpacked it is larger than {MAX_BYTES} bytes.", "too_large", name)
        files[name] = content
    return files


def check_packing(info: zipfile.ZipInfo) -> None:
    """Raise BundleError for an entry that is encrypted or packed as phones do not know."""
    name = info.orig_filename
    if info.flag_bits & 0x1:
        raise BundleError(f"{name} is encrypted.", "encrypted_entry", name)
    if info.compress_type not in (_STORED, _DEFLATED):
        raise BundleError(
            f"{name} is packed in a way that phones do not know.", "unknown_packing", name
        )


def check_name(name: str) -> None:
    """Raise BundleError for a name that leads out of the archive or is none."""
    parts = name.split("/")
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise BundleError(f"{name!r} is no name for a file in a pass.", "bad_name", name)
    if "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise BundleError(f"{name!r} leads out of the archive.", "path_outside", name)


def _pack(data: bytes) -> tuple[int, bytes]:
    """Deflate `data`, unless it gains nothing (most PNG files are packed already)."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(data) + deflater.flush()
    return (_DEFLATED, packed) if len(packed) < len(data) else (_STORED, data)


def _lay(name: str, data: bytes) -> _Laid:
    method, packed = _pack(data)
    crc = zlib.crc32(data)
    # SHA-1 is what Apple's format prescribes; the signature is over SHA-256.
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    record = _local(name, method, crc, len(packed), len(data)) + packed
    return _Laid(record, method, crc, len(packed), len(data), digest)


def _local(name: str, method: int, crc: int, packed: int, size: int) -> bytes:
    encoded = name.encode()
    return (
        _LOCAL.pack(
            _LOCAL_MARK,
            _VERSION_NEEDED,
            _UTF8_NAMES,
            method,
            _TIME,
            _DATE,
            crc,
            packed,
            size,
            len(encoded),
            0,
        )
        + encoded
    )


def _central(name: str, method: int, crc: int, packed: int, size: int, offset: int) -> bytes:
    encoded = name.encode()
    return (
        _CENTRAL.pack(
            CENTRAL_MARK,
            _VERSION_NEEDED,
            _VERSION_NEEDED,
            _UTF8_NAMES,
            method,
            _TIME,
            _DATE,
            crc,
            packed,
            size,
            len(encoded),
            0,
            0,
            0,
            0,
            0,
            offset,
        )
        + encoded
    )


_LAST = tuple(_Frame.of(name) for name in (PASS_JSON, MANIFEST, SIGNATURE))
#: Their records in the directory, and its end: packed at once, as each pass has its own.
_LISTED = struct.Struct("<" + "".join(each.listed_form for each in _LAST) + _END.format[1:])
_LISTED_BYTES = _LISTED.size - _END.size
