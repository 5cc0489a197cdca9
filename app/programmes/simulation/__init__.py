"""What a change of the rules would have done to real receipts: replayed, and nothing written.

Each receipt is valued twice: by what held on its day in its place, and by that with the change. The
facts are those of its day: lines, tier, visits, what was had before, what was carried over (on each
side its own). What came back of it since is taken off on both sides. So a change that changes
nothing costs nothing, to the point.

Tiers stay what they were: a change that makes somebody rise is not followed further.
"""

from app.programmes.simulation.replay import Scope
from app.programmes.simulation.running import Plan, simulate
from app.programmes.simulation.tally import Tally

__all__ = ["Plan", "Scope", "Tally", "simulate"]
