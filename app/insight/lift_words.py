"""What a shop owner would say aloud about a lift, in four languages. Pure.

Shares are told as people of a hundred, of a thousand or of ten thousand: everybody can picture
those. The sentences are built so that no number changes the words around it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from babel.numbers import format_decimal

from app.insight.lift import FEWEST, Lift, Verdict
from app.ledger.writing import money, number, spoken

#: By language and verdict, of people who came.
_CAME: Mapping[str, Mapping[Verdict, str]] = {
    "en": {
        Verdict.WORKED: "It worked: of every {of} who got it {reached} came, of every {of} who did "
        "not {held_out}. That is about {more} more (between {low} and {high}).",
        Verdict.HARMED: "It kept people away: of every {of} who got it {reached} came, of every "
        "{of} who did not {held_out}. That is about {less} fewer (between {low_less} and "
        "{high_less}).",
        Verdict.NOT_SHOWN: "Not shown to work: of every {of} who got it {reached} came, of every "
        "{of} who did not {held_out}. Chance alone makes such a difference (between {low} and "
        "{high}).",
    },
    "de": {
        Verdict.WORKED: "Es hat gewirkt: Von je {of}, die es bekamen, kamen {reached}, von je {of} "
        "ohne {held_out}. Das sind etwa {more} mehr (zwischen {low} und {high}).",
        Verdict.HARMED: "Es hat Leute ferngehalten: Von je {of}, die es bekamen, kamen {reached}, "
        "von je {of} ohne {held_out}. Das sind etwa {less} weniger (zwischen {low_less} und "
        "{high_less}).",
        Verdict.NOT_SHOWN: "Wirkung nicht gezeigt: Von je {of}, die es bekamen, kamen {reached}, "
        "von je {of} ohne {held_out}. So ein Unterschied entsteht auch durch Zufall (zwischen "
        "{low} und {high}).",
    },
    "lv": {
        Verdict.WORKED: "Tas nostrādāja: no katriem {of}, kas to saņēma, atnāca {reached}, no "
        "katriem {of} bez tā {held_out}. Tas ir aptuveni par {more} vairāk (no {low} līdz {high}).",
        Verdict.HARMED: "Tas cilvēkus atturēja: no katriem {of}, kas to saņēma, atnāca {reached}, "
        "no katriem {of} bez tā {held_out}. Tas ir aptuveni par {less} mazāk (no {low_less} līdz "
        "{high_less}).",
        Verdict.NOT_SHOWN: "Nav pierādīts, ka tas strādā: no katriem {of}, kas to saņēma, atnāca "
        "{reached}, no katriem {of} bez tā {held_out}. Tāda atšķirība rodas arī nejauši (no {low} "
        "līdz {high}).",
    },
    "ru": {
        Verdict.WORKED: "Это сработало: из каждых {of}, кто это получил, пришло {reached}, из "
        "каждых {of} без этого {held_out}. Это примерно на {more} больше (от {low} до {high}).",
        Verdict.HARMED: "Это отпугнуло людей: из каждых {of}, кто это получил, пришло {reached}, "
        "из каждых {of} без этого {held_out}. Это примерно на {less} меньше (от {low_less} до "
        "{high_less}).",
        Verdict.NOT_SHOWN: "Не доказано, что это работает: из каждых {of}, кто это получил, пришло "
        "{reached}, из каждых {of} без этого {held_out}. Такая разница бывает и случайно (от {low} "
        "до {high}).",
    },
}
#: The same, of what each of them spent or collected.
_EACH: Mapping[str, Mapping[Verdict, str]] = {
    "en": {
        Verdict.WORKED: "It worked: whoever got it brought {reached} on average, whoever did not "
        "{held_out}. That is about {more} more each (between {low} and {high}).",
        Verdict.HARMED: "It did harm: whoever got it brought {reached} on average, whoever did not "
        "{held_out}. That is about {less} less each (between {low_less} and {high_less}).",
        Verdict.NOT_SHOWN: "Not shown to work: whoever got it brought {reached} on average, "
        "whoever did not {held_out}. Chance alone makes such a difference (between {low} and "
        "{high}).",
        Verdict.TOO_UNEVEN: "Too uneven to tell: whoever got it brought {reached} on average, "
        "whoever did not {held_out}, but a few large purchases decide that.",
    },
    "de": {
        Verdict.WORKED: "Es hat gewirkt: Wer es bekam, brachte im Schnitt {reached}, wer nicht, "
        "{held_out}. Das sind je Person etwa {more} mehr (zwischen {low} und {high}).",
        Verdict.HARMED: "Es hat geschadet: Wer es bekam, brachte im Schnitt {reached}, wer nicht, "
        "{held_out}. Das sind je Person etwa {less} weniger (zwischen {low_less} und {high_less}).",
        Verdict.NOT_SHOWN: "Wirkung nicht gezeigt: Wer es bekam, brachte im Schnitt {reached}, wer "
        "nicht, {held_out}. So ein Unterschied entsteht auch durch Zufall (zwischen {low} und "
        "{high}).",
        Verdict.TOO_UNEVEN: "Zu ungleich für ein Urteil: Wer es bekam, brachte im Schnitt "
        "{reached}, wer nicht, {held_out}, doch das entscheiden wenige große Einkäufe.",
    },
    "lv": {
        Verdict.WORKED: "Tas nostrādāja: kas to saņēma, atnesa vidēji {reached}, kas ne, "
        "{held_out}. Tas ir aptuveni par {more} vairāk no katra (no {low} līdz {high}).",
        Verdict.HARMED: "Tas kaitēja: kas to saņēma, atnesa vidēji {reached}, kas ne, {held_out}. "
        "Tas ir aptuveni par {less} mazāk no katra (no {low_less} līdz {high_less}).",
        Verdict.NOT_SHOWN: "Nav pierādīts, ka tas strādā: kas to saņēma, atnesa vidēji {reached}, "
        "kas ne, {held_out}. Tāda atšķirība rodas arī nejauši (no {low} līdz {high}).",
        Verdict.TOO_UNEVEN: "Pārāk nevienmērīgi, lai spriestu: kas to saņēma, atnesa vidēji "
        "{reached}, kas ne, {held_out}, taču to izšķir daži lieli pirkumi.",
    },
    "ru": {
        Verdict.WORKED: "Это сработало: кто это получил, принёс в среднем {reached}, кто нет, "
        "{held_out}. Это примерно на {more} больше с каждого (от {low} до {high}).",
        Verdict.HARMED: "Это навредило: кто это получил, принёс в среднем {reached}, кто нет, "
        "{held_out}. Это примерно на {less} меньше с каждого (от {low_less} до {high_less}).",
        Verdict.NOT_SHOWN: "Не доказано, что это работает: кто это получил, принёс в среднем "
        "{reached}, кто нет, {held_out}. Такая разница бывает и случайно (от {low} до {high}).",
        Verdict.TOO_UNEVEN: "Слишком неровно, чтобы судить: кто это получил, принёс в среднем "
        "{reached}, кто нет, {held_out}, но это решают несколько крупных покупок.",
    },
}
_TOO_FEW = {
    "en": "Too few to tell: reached {people}, held out {controls}; at least {fewest} of each are "
    "needed.",
    "de": "Zu wenige für ein Urteil: erreicht {people}, zurückgehalten {controls}; nötig sind je "
    "mindestens {fewest}.",
    "lv": "Pārāk maz, lai spriestu: sasniegti {people}, atstāti malā {controls}; vajag vismaz "
    "{fewest} katrā grupā.",
    "ru": "Слишком мало, чтобы судить: охвачено {people}, оставлено в стороне {controls}; нужно не "
    "меньше {fewest} в каждой группе.",
}
_POINTS = {"en": "{} pts", "de": "{} Pkt.", "lv": "{} pkt.", "ru": "{} б."}


def say_rates(lift: Lift, language: str) -> str:
    """The sentence of a difference in shares (`lift.of_rates`)."""
    shares = [share for share in (lift.reached, lift.held_out) if share > 0]
    of = 100
    # The smaller of the two should still be a number, and so should what is uncertain.
    while of < 10_000 and shares and (min(shares) * of < 10 or lift.error * of < 1):
        of *= 10

    def write(share: float) -> str:
        return _signed(number(abs(round(share * of)), spoken(language)), round(share * of))

    return _say(lift, language, _CAME, write, of=number(of, spoken(language)))


def say_money(lift: Lift, currency: str, language: str) -> str:
    """The sentence of a difference in what each spent, in minor units of *currency*."""
    return _say(
        lift, language, _EACH, lambda value: money(Decimal(round(value)), currency, language)
    )


def say_points(lift: Lift, language: str) -> str:
    """The sentence of a difference in points each."""

    def write(value: float) -> str:
        figures = format_decimal(abs(round(value, 1)), "#,##0.#", locale=spoken(language))
        return _POINTS[spoken(language)].format(_signed(figures, round(value, 1)))

    return _say(lift, language, _EACH, write)


def _signed(figures: str, value: float) -> str:
    return f"−{figures}" if value < 0 else figures


def _say(
    lift: Lift,
    language: str,
    sentences: Mapping[str, Mapping[Verdict, str]],
    write: Callable[[float], str],
    **more: str,
) -> str:
    spoken_in = spoken(language)
    if lift.verdict is Verdict.TOO_FEW:
        counts = {"people": lift.people, "controls": lift.controls, "fewest": FEWEST}
        return _TOO_FEW[spoken_in].format(
            **{name: number(count, spoken_in) for name, count in counts.items()}
        )
    return sentences[spoken_in][lift.verdict].format(
        reached=write(lift.reached),
        held_out=write(lift.held_out),
        more=write(lift.difference),
        less=write(-lift.difference),
        low=write(lift.low),
        high=write(lift.high),
        low_less=write(-lift.high),
        high_less=write(-lift.low),
        **more,
    )
