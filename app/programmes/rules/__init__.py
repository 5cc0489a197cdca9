"""What a receipt earns beside the plain rate: rules as data. Pure.

A **rule** has a name, conditions and what it gives. Its *kind* says what it looks at:

* ``amount``: points for each so much money, of all that earns or of some categories;
* ``visit``: for coming, at most so many times a day;
* ``item``: for each piece (or each so many) of some goods;
* ``basket``: for a receipt that holds enough: money, a set of goods;
* ``multiplier``: makes the base earn so many times as much.

Its *role* says how it stands beside others:

* ``base``: of all base rules that apply the one that gives most counts, alone. The settings'
  *points* for each *per_amount* are the base rule called "base" (none, where *points* is 0);
* ``promotion``: the best one or all of them count, as the programme's *stacking* says;
* ``always``: counts beside whatever else does.

Of several that give the same the one that stands first counts. Multipliers are added up, not
multiplied: twice and three times as much are four times as much (1 + 1 + 2).
"""

from app.programmes.rules.compiled import RuleSet, rule_set_of
from app.programmes.rules.meeting import Bill, Candidate, candidates
from app.programmes.rules.model import Conditions, Gives, Goods, Kind, Role, Rule
from app.programmes.rules.reading import bonus_as_rule, read_rules
from app.programmes.rules.segments import Segment, in_segments, read_segments
from app.programmes.rules.stacking import Applied, applied, asked_of

__all__ = [
    "Applied",
    "Bill",
    "Candidate",
    "Conditions",
    "Gives",
    "Goods",
    "Kind",
    "Role",
    "Rule",
    "RuleSet",
    "Segment",
    "applied",
    "asked_of",
    "bonus_as_rule",
    "candidates",
    "in_segments",
    "read_rules",
    "read_segments",
    "rule_set_of",
]
