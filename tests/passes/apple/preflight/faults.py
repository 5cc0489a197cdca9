"""What the tests of the preflight share: inspect a pass, and expect one finding and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from passes.apple import preflight
from passes.apple.preflight import Finding, Severity
from tests.passes.apple import forge
from tests.passes.certificates import NOW, root

ROOTS = [root().certificate]
DAY = timedelta(days=1)


def inspect(data: bytes, **more: Any) -> list[Finding]:
    return preflight.inspect(data, **({"now": NOW, "roots": ROOTS} | more))


def only(findings: list[Finding], severity: Severity = Severity.ERROR) -> str:
    """The code of the one finding."""
    assert [finding.severity for finding in findings] == [severity], findings
    [found] = findings
    assert found.where
    assert found.message.endswith(".")
    assert found.cure.endswith((".", ")", "?"))
    return found.code


def changed(**changes: Any) -> dict[str, Any]:
    """pass.json with keys set, or taken out where the value is None."""
    return {name: value for name, value in (forge.content() | changes).items() if value is not None}
