"""Why a phone refuses a pass without a word, and the cure.

`inspect` looks through a .pkpass from anyone. A phone installs what has no finding of severity
"error".
"""

from passes.apple.preflight.archive import inspect
from passes.apple.preflight.finding import Finding, Severity

__all__ = ["Finding", "Severity", "inspect"]
