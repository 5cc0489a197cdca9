"""What the reading functions say is wrong, in the reader's language.

They speak English, since files and programs read them too; here each sentence that a form can meet
is found again by its pattern and said in the language of the page. One that is not known is shown
as it is.
"""

import re
from collections.abc import Callable

from app.languages import _

_Said = Callable[[re.Match[str]], str]

_SENTENCES: tuple[tuple[re.Pattern[str], _Said], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (
            r"(?:\w+: )?Give a whole number of at least ([\d,]+)\.",
            lambda m: _("Give a whole number of at least %(low)s.", low=m[1]),
        ),
        (
            r"(?:\w+: )?Give a whole number of at least ([\d,]+) and at most ([\d,]+)\.",
            lambda m: _("Give a whole number from %(low)s to %(high)s.", low=m[1], high=m[2]),
        ),
        (
            r"Give a whole number from ([\d,]+) to ([\d,]+).*",
            lambda m: _("Give a whole number from %(low)s to %(high)s.", low=m[1], high=m[2]),
        ),
        (
            r"Give a number above zero up to ([\d,.]+) as text.*; (\d+) decimals at most\.",
            lambda m: _(
                "Give a number above 0, at most %(high)s, with at most %(decimals)s decimals.",
                high=m[1],
                decimals=m[2],
            ),
        ),
        (
            r"Give a number from zero up to ([\d,.]+) as text.*; (\d+) decimals at most\.",
            lambda m: _(
                "Give a number from 0 to %(high)s, with at most %(decimals)s decimals.",
                high=m[1],
                decimals=m[2],
            ),
        ),
        (r".*\bis missing\.?", lambda m: _("This is missing: fill it in.")),
        (
            r"write small letters, digits, hyphens and underscores, 40 at most\.",
            lambda m: _("Use small letters, digits, hyphens and underscores, 40 at most."),
        ),
        (
            r"Give 1 to 40 of the characters a to z, 0 to 9 and -\.",
            lambda m: _("Use small letters, digits and hyphens, 40 at most."),
        ),
        (
            r"(?:another rule has this name|a bonus has this name|Another tier has this code|"
            r"Two bonuses have the same name|Two have the same code): give each its own\.",
            lambda m: _("Another one has this name: give each its own."),
        ),
        (
            r"(?:.*: )?[Aa]n? .* has 1 to (\d+) characters\.",
            lambda m: _("Write 1 to %(count)s characters.", count=m[1]),
        ),
        (
            r"say which goods: items, categories or both\.",
            lambda m: _("Say which goods: items, categories or both."),
        ),
        (
            r"say how much: quantity, at_least \(money\) or both\.",
            lambda m: _("Say how much: pieces, money or both."),
        ),
        (
            r"it would be over before it begins\.",
            lambda m: _("It would be over before it begins."),
        ),
        (
            r"no earlier than valid_from\.|give a day after the first one\.",
            lambda m: _("Give a day that is no earlier than the first one."),
        ),
        (
            r"only_categories or excluded_categories, not both\.",
            lambda m: _("Name the categories that count, or those that do not: not both."),
        ),
        (
            r"a multiplier multiplies the base.*",
            lambda m: _("A multiplier is a promotion, or counts always."),
        ),
        (r"a multiplier is at least 1\.", lambda m: _("A multiplier is at least 1.")),
        (
            r"a base rule gives points only.*",
            lambda m: _("A base rule gives points only: let it be a promotion, or count always."),
        ),
        (
            r"what is given once has points with it.*",
            lambda m: _("What is given once has points with it: give at least 1 point too."),
        ),
        (
            r"say what the basket holds.*",
            lambda m: _("Say what the receipt holds: a minimum spend, goods, or an amount."),
        ),
        (
            r"it counts complete sets of goods.*",
            lambda m: _("Say which goods make a complete set."),
        ),
        (
            r"each or per_amount, not both\.",
            lambda m: _("For each set of goods or for each full amount: not both."),
        ),
        (
            r"it limits each or per_amount: say one of them\.",
            lambda m: _("It limits how often: say for each set of goods, or for each amount."),
        ),
        (
            r"write what is given, such as .*",
            lambda m: _("Say what it gives: points, or things."),
        ),
        (
            r"say what it gives: points, or things under gives\.",
            lambda m: _("Say what it gives: points, or things."),
        ),
        (
            r"say what the referrer or the referred gets\.",
            lambda m: _("Say what at least one of the two gets."),
        ),
        (
            r"say what it costs: points, points_from, or a full card of stamps\.",
            lambda m: _("Say what it costs, in one way: points, a full card, or a choice."),
        ),
        (
            r"for amount_off without an amount only\.",
            lambda m: _("The cashier chooses only with an amount off that is left empty."),
        ),
        (
            r"at least as many as points_from\.",
            lambda m: _("Give at least as many as the choice begins with."),
        ),
        (
            r"say how much an? (?:amount|percent)_off takes off, and nothing else does\.",
            lambda m: _("Say how much it takes off."),
        ),
        (
            r'say how much; or choose the kind "slab" or "marginal" for a scale\.',
            lambda m: _("Say how much, or choose a scale."),
        ),
        (
            r"give its steps, and no percent besides\.|give a list of 1 to (\d+) steps\.",
            lambda m: _("Give at least one step."),
        ),
        (
            r"each step begins at more than the one before it\.",
            lambda m: _("Each step begins at more than the one before it."),
        ),
        (
            r'choose "item" to stamp goods.*',
            lambda m: _("Stamp certain goods, or name none."),
        ),
        (
            r"within_days needs one of .*",
            lambda m: _("Say how many visits or how much money in these days."),
        ),
        (r"say who is in it.*", lambda m: _("Say who is in it.")),
        (
            r"(?:.*: )?there is no (tier|segment|stamp card) ['\"](.{1,60})['\"].*",
            lambda m: _("There is no “%(name)s” any more: choose another.", name=m[2]),
        ),
        (
            r"There is no tier ['\"](.{1,60})['\"].*",
            lambda m: _("There is no “%(name)s” any more: choose another.", name=m[1]),
        ),
        (
            r"write them by language.*",
            lambda m: _("Write the name in at least one language."),
        ),
        (
            r"Give a list of 1 to \d+ tiers, the lowest first\.",
            lambda m: _("Give at least one tier, or take all tiers away."),
        ),
        (
            r"Say after how many months without a visit points expire\.",
            lambda m: _("Say after how many months without a visit points expire."),
        ),
        (
            r"Points are pending for days or until confirmed, not both: set 0\.",
            lambda m: _("Points are pending for days or until confirmed, not both: write 0."),
        ),
        (
            r"The points would expire before they can be spent: give fewer\.",
            lambda m: _("The points would expire before they can be spent: give fewer days."),
        ),
        (
            r"Give at most ([\d,]+) points for one unit of money\.|"
            r"give at most ([\d,]+) points for one unit\.",
            lambda m: _("Give at most %(most)s points for one unit of money.", most=m[1] or m[2]),
        ),
        (
            r"Choose .* or .*\.",
            lambda m: _("Choose one of them."),
        ),
        (
            r"write (?:a day|a local day|hours|days).*",
            lambda m: _("Give a day or time as the field asks for it."),
        ),
    )
)


def in_language(text: str) -> str:
    """A sentence of the reading functions in the language that is spoken now."""
    for pattern, said in _SENTENCES:
        match = pattern.fullmatch(text.strip())
        if match:
            return said(match)
    return text
