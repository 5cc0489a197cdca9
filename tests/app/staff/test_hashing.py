"""How slowly PINs and passwords are hashed. Elsewhere in the tests it is made quick."""

import json
import subprocess
import sys

_SAY = """
import json
from app.staff.passwords import HASH
from app.staff.service import PIN_HASH
print(json.dumps([[each.type, each.memory_cost, each.default_rounds, each.parallelism]
                  for each in (PIN_HASH, HASH)]))
"""


def test_pins_and_passwords_are_hashed_by_what_owasp_asks_at_least() -> None:
    """OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB and two passes, or 46 MiB and
    one."""
    said = subprocess.run([sys.executable, "-c", _SAY], capture_output=True, check=True, text=True)
    assert json.loads(said.stdout) == [["id", 19_456, 2, 1], ["id", 47_104, 1, 1]]
