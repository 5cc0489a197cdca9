"""A published design as the designer's fields show it: the other way round than `form`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.designer.form import COLOURS, TEXTS


def typed_of(content: Mapping[str, Any], *, time_zone: str) -> dict[str, str]:
    """The fields of a release's content (`designs.content_of`), times as in *time_zone*."""
    extras = content.get("extras") or {}
    typed = {"kind": str(content["kind"])}
    typed |= {name: str(content["colours"][name]) for name in COLOURS}
    for name in TEXTS:
        typed |= _said(f"{name}_", content.get(name))
    for key, said in (content.get("labels") or {}).items():
        typed |= _said(f"label_{key}_", said)
    for number, (key, place) in enumerate(content.get("fields") or (), start=1):
        typed[f"field_{key}_place"] = place or "hidden"
        typed[f"field_{key}_order"] = str(number)
    for number, (label, url) in enumerate(content.get("links") or ()):
        typed |= {f"link_{number}_url": url} | _said(f"link_{number}_", label)
    for slug, degrees in (content.get("places") or {}).items():
        typed[f"place_{slug}"] = ", ".join(
            f"{each:g}" if each == int(each) else str(each) for each in degrees
        )
    return typed | _extras(extras, ZoneInfo(time_zone))


def _extras(extras: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    typed: dict[str, str] = {}
    for number, beacon in enumerate(extras.get("beacons", ())):
        typed |= {f"beacon_{number}_{part}": str(value) for part, value in beacon.items()}
    for number, (kind, url) in enumerate(extras.get("actions", ())):
        typed |= {f"action_{number}_kind": kind, f"action_{number}_url": url}
    for number, (start, end) in enumerate(extras.get("times", ())):
        typed[f"time_{number}_from"] = _local(start, zone)
        if end is not None:
            typed[f"time_{number}_until"] = _local(end, zone)
    for each in extras.get("codes", ()):
        typed[f"code_{each}"] = "yes"
    for name in ("no_sharing", "nfc_authentication"):
        if extras.get(name):
            typed[name] = "yes"
    if extras.get("app_store_ids"):
        typed["app_ids"] = ", ".join(str(each) for each in extras["app_store_ids"])
    for name in ("app_url", "valid_until", "nfc_key"):
        if extras.get(name):
            typed[name] = str(extras[name])
    return typed


def _said(begins: str, said: Any) -> dict[str, str]:
    if said is None:
        return {}
    if isinstance(said, str):
        return {f"{begins}en": said}
    return {f"{begins}{language}": words for language, words in said.items()}


def _local(moment: str, zone: ZoneInfo) -> str:
    """As a field for day and time has it."""
    local = datetime.fromisoformat(moment).astimezone(zone).replace(tzinfo=None)
    return local.isoformat(timespec="minutes" if local.second == 0 else "seconds")
