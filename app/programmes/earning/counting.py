"""What of a receipt counts, whoever bought it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from app.errors import Invalid
from app.ledger.explain import Reason, Story, note
from app.ledger.postings import Asked, Given, Line
from app.programmes import rules
from app.programmes.earning.tariff import MICRO, Tariff
from app.programmes.fields import BonusRule
from app.programmes.mechanics import clubs, multipasses, stamps
from app.programmes.rules import Bill, Candidate
from app.programmes.wording import currency_exponent


class Sale(Struct, frozen=True):
    """A receipt as the counter tells it.

    *amount_minor* is all of it, what its lines add up to; *tax_minor* is contained in it.
    *coupons_minor* of it was paid with coupons, and *paid_with_points* points were redeemed on it.
    *location*: the slug of the place, where a rule has to know it.
    """

    amount_minor: int
    currency: str
    occurred_at: datetime
    tax_minor: int = 0
    coupons_minor: int = 0
    paid_with_points: int = 0
    lines: tuple[Line, ...] = ()
    location: str | None = None


class Exchange(Struct, frozen=True):
    """What one unit of a currency was worth in the programme's own, from *day* on."""

    rate: Decimal
    source: str
    day: date


class Earning(Struct, frozen=True):
    """The part of a receipt that earns: ``counted[0] ÷ counted[1]`` micro, whoever bought it.

    *earning_minor* is the same in the receipt's currency, *spend_minor* in the programme's, both
    rounded down. *bonuses* are those that it reaches, each with its threshold in the receipt's
    currency.
    """

    occurred_at: datetime
    counted: tuple[int, int]
    earning_minor: int
    spend_minor: int
    bonuses: tuple[tuple[BonusRule, int], ...]
    explain: tuple[Reason, ...]
    #: The rules that it meets, and its local day.
    rules: tuple[Candidate, ...] = ()
    day: date | None = None
    #: What stamp cards give by themselves.
    stamps: tuple[Given, ...] = ()
    #: Nothing was bought: somebody came, and that is all.
    is_visit: bool = False

    @property
    def once_keys(self) -> tuple[str, ...]:
        """The keys of its bonuses that an account may have once."""
        keys = [bonus.once for bonus, _ in self.bonuses if bonus.once]
        keys += [once for each in self.rules if (once := each.rule.conditions.once)]
        return tuple(keys)

    def asked(self, tariff: Tariff, besides: Iterable[str] = ()) -> Asked | None:
        """What has to be known of the account's other receipts; *besides*: for these segments."""
        if not self.rules and not besides:
            return None
        day = self.day or self.occurred_at.astimezone(tariff.zone).date()
        return rules.asked_of(tariff.settings.segments, self.rules, day, besides=besides)


def earns(tariff: Tariff, line: Line) -> bool:
    """Whether a line is of a kind that earns."""
    return line.category is None or line.category.strip().casefold() not in tariff.excluded


def marked(tariff: Tariff, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, each saying whether it earns."""
    if not tariff.excluded:
        return tuple(lines)
    return tuple(line if earns(tariff, line) else replace(line, earns=False) for line in lines)


def earning_of(
    tariff: Tariff, sale: Sale, exchange: Exchange | None = None, *, telling: bool = True
) -> Earning:
    """What of a receipt counts, and why. A receipt in a foreign currency needs its *exchange*.

    Without *telling* the reasons are left out: for whoever reckons with many and shows none.
    Raises `Invalid` that names what cannot be: more tax or coupons than the receipt's amount.
    """
    _check(sale)
    if exchange is None and sale.currency != tariff.currency:
        raise ValueError("a receipt in a foreign currency has a rate")
    explain: Story = [] if telling else None
    up, down = MICRO, 1  # Of the receipt's minor unit: up ÷ down micro.
    if exchange is not None:
        up, down = exchange.rate.as_integer_ratio()
        up *= 10 ** (tariff.exponent - currency_exponent(sale.currency) + 6)
        if telling:
            _say_exchange(tariff, sale, exchange, up, down, explain)
    gross = numerator, denominator = _what_counts(tariff, sale, up, down, explain)
    net = gross
    if sale.tax_minor:
        # Tax of the part that counts, in proportion: of other parts none was counted.
        net = (numerator * (sale.amount_minor - sale.tax_minor), denominator * sale.amount_minor)
        if tariff.settings.earn_on == "net":
            tax = numerator * sale.tax_minor // (denominator * sale.amount_minor * MICRO)
            numerator, denominator = net
            note(explain, "tax", amount_minor=tax, currency=tariff.currency)
    earning_minor = numerator * down // (denominator * up)
    found: tuple[Candidate, ...] = ()
    day: date | None = None
    if tariff.rules is not None:
        local = sale.occurred_at.astimezone(tariff.zone)
        day = local.date()
        bill = Bill(
            occurred_at=sale.occurred_at,
            local=local,
            location=sale.location,
            counted=(numerator, denominator),
            gross=gross,
            net=net,
            earning_minor=earning_minor,
            micro=(up, down),
            lines=_lines_that_earn(tariff, sale.lines),
        )
        found = rules.candidates(tariff.rules, bill)
    return Earning(
        occurred_at=sale.occurred_at,
        counted=(numerator, denominator),
        earning_minor=earning_minor,
        spend_minor=numerator // (denominator * MICRO),
        bonuses=_bonuses_reached(tariff, numerator, denominator, earning_minor, up, down),
        explain=tuple(explain or ()),
        rules=found,
        day=day,
        stamps=_things(tariff, sale, earning_minor, up, down),
        is_visit=sale.amount_minor == 0,
    )


def _what_counts(tariff: Tariff, sale: Sale, up: int, down: int, explain: Story) -> tuple[int, int]:
    """What is left of the amount before tax, as a fraction of micro; never below zero."""
    left = sale.amount_minor
    if tariff.excluded and sale.lines:
        excluded = sum(line.amount_minor for line in sale.lines if not earns(tariff, line))
        if excluded:
            left -= excluded
            note(explain, "excluded", amount_minor=excluded, currency=sale.currency)
    if sale.coupons_minor:
        left -= sale.coupons_minor
        note(explain, "coupons", amount_minor=sale.coupons_minor, currency=sale.currency)
    numerator = left * up
    if sale.paid_with_points:
        micro = sale.paid_with_points * tariff.point_micro
        numerator -= micro * down
        note(
            explain,
            "paid_with_points",
            points=sale.paid_with_points,
            amount_minor=micro // MICRO,
            currency=tariff.currency,
        )
    return max(0, numerator), down


def _bonuses_reached(
    tariff: Tariff, numerator: int, denominator: int, earning_minor: int, up: int, down: int
) -> tuple[tuple[BonusRule, int], ...]:
    """A threshold is reached by the exact amount; kept no higher than what was counted."""
    return tuple(
        (bonus, min(earning_minor, -(-micro * down // up)))
        for bonus, micro in tariff.bonuses
        if numerator >= micro * denominator
    )


def _things(
    tariff: Tariff, sale: Sale, earning_minor: int, up: int, down: int
) -> tuple[Given, ...]:
    """What stamp cards and prepaid passes give by themselves."""
    settings = tariff.settings
    stamped = _stamps(tariff, sale, earning_minor, up, down) if settings.stamps else ()
    if not settings.multipasses and not settings.clubs:
        return stamped
    bought = multipasses.given(settings.multipasses, sale.lines)
    return stamped + bought + clubs.given(settings.clubs, sale.lines)


def _stamps(
    tariff: Tariff, sale: Sale, earning_minor: int, up: int, down: int
) -> tuple[Given, ...]:
    """*up* ÷ *down* micro of the programme's currency are one minor unit of the receipt's."""
    micro = {
        card.code: int(card.at_least.scaleb(tariff.exponent + 6)) for card in tariff.settings.stamps
    }
    return stamps.given(
        tariff.settings.stamps,
        sale.lines,
        earning_minor=earning_minor,
        thresholds={code: -(-least * down // up) for code, least in micro.items()},
    )


def _lines_that_earn(tariff: Tariff, lines: Sequence[Line]) -> list[tuple[int, Line]]:
    if not tariff.excluded:
        return list(enumerate(lines, 1))
    return [(at, line) for at, line in enumerate(lines, 1) if earns(tariff, line)]


def _check(sale: Sale) -> None:
    amount = sale.amount_minor
    if 0 <= sale.tax_minor <= amount and 0 <= sale.coupons_minor <= amount:
        if sale.paid_with_points >= 0:
            return
    wrong = {
        name: [f"Give a whole number from 0 to {most}, the receipt's amount."]
        for name, value, most in (
            ("tax_minor", sale.tax_minor, amount),
            ("coupons_minor", sale.coupons_minor, amount),
        )
        if not 0 <= value <= most
    }
    if sale.paid_with_points < 0:
        wrong["paid_with_points"] = ["Give a whole number of at least 0."]
    if wrong:
        raise Invalid("The receipt does not make sense.", wrong)


def _say_exchange(
    tariff: Tariff, sale: Sale, exchange: Exchange, up: int, down: int, explain: Story
) -> None:
    note(
        explain,
        "exchanged",
        amount_minor=sale.amount_minor,
        currency=sale.currency,
        to_minor=sale.amount_minor * up // (down * MICRO),
        to_currency=tariff.currency,
        rate=f"{exchange.rate:f}",
        source=exchange.source,
        day=exchange.day.isoformat(),
    )
