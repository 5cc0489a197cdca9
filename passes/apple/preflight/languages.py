"""The languages of a pass: its .lproj folders and the tables of strings in them.

Source: developer.apple.com/documentation/walletpasses/creating-the-source-for-a-pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from passes.apple import strings
from passes.apple.preflight.finding import Finding, error, warning
from passes.errors import BundleError

Tables = Mapping[str, Mapping[str, str]]

_FOLDER = re.compile(r"(?P<tag>[^/]+)\.lproj/(?P<file>.+)", re.DOTALL)
_TAG = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)
#: What older systems call languages, and the one for all others.
_OTHER_TAGS = frozenset({"Base", "English", "German", "French", "Japanese", "Spanish", "Italian"})
_SHOWN = 5


def read_tables(files: Mapping[str, bytes]) -> tuple[Tables, list[Finding]]:
    """The tables of strings among `files`, by folder, and what is wrong with reading them."""
    tables: dict[str, Mapping[str, str]] = {}
    found: list[Finding] = []
    for name, data in files.items():
        match = _FOLDER.fullmatch(name)
        if match is None or match["file"] != strings.FILE_NAME:
            continue
        try:
            tables[match["tag"]] = strings.read(data)
        except BundleError as fault:
            found.append(
                error(
                    fault.code,
                    name,
                    f"{name}: {fault}",
                    'Write it in UTF-16, a line for each text: "key" = "words";',
                )
            )
            continue
        if strings.is_plain_utf8(data):
            found.append(
                warning(
                    "strings_utf8",
                    name,
                    f"{name} has letters beyond ASCII and is written in UTF-8.",
                    "Write it in UTF-16, as Apple asks.",
                )
            )
    return tables, found


def check_languages(files: Mapping[str, bytes], tables: Tables) -> Iterator[Finding]:
    """Yield what is wrong with the .lproj folders among `files`, whose strings are `tables`."""
    folders: dict[str, str] = {}
    for name in files:
        match = _FOLDER.fullmatch(name)
        if match is not None:
            folders.setdefault(match["tag"], name)
            if match["file"] in files and match["file"] != strings.FILE_NAME:
                yield warning(
                    "image_hides_localised",
                    name,
                    f"{match['file']} at the top of the pass hides {name}.",
                    "Keep the picture in the language folders or at the top, not in both.",
                )
    for tag, name in folders.items():
        if not _TAG.fullmatch(tag) and tag not in _OTHER_TAGS:
            yield warning(
                "language_unknown",
                name,
                f"{tag[:40]!r} is no language, so no phone looks into the folder.",
                "Name the folder by a language, as de.lproj or zh-Hans.lproj.",
            )
    yield from _check_keys(tables)


def _check_keys(tables: Tables) -> Iterator[Finding]:
    everywhere = {key for table in tables.values() for key in table}
    for tag, table in tables.items():
        missing = sorted(everywhere - table.keys())
        if missing:
            shown = ", ".join(repr(key[:60]) for key in missing[:_SHOWN])
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            yield warning(
                "string_missing",
                f"{tag}.lproj/{strings.FILE_NAME}",
                f"Texts that other languages have are missing in {tag}: {shown}{more}.",
                "Translate them: in this language the phone shows their keys.",
            )
