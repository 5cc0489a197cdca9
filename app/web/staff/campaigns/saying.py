"""What is wrong with a campaign, said to whoever fills in its form: by field, in their language.

The plan is read as files and programs write it, so what is wrong begins with a path into it, as
"limits: hold_out_percent: …". Here the path becomes the field of the form, and the sentence one of
the reader's language.
"""

import re
from collections.abc import Callable, Mapping

from app.campaigns import plans
from app.errors import Invalid
from app.languages import Lazy, _, lazy
from app.web.staff.campaigns import words
from app.web.staff.programme.said import in_language

#: What the fields are called where they are named away from themselves.
LABELS: Mapping[str, Lazy] = {
    "name": lazy("Name, for yourself"),
    "points": lazy("Points as a present"),
    "points_last_days": lazy("They last so many days"),
    "thing": lazy("Coupon, reward or stamps"),
    "thing_cost": lazy("One costs you"),
    "when": lazy("It goes out"),
    "at": lazy("At (the programme's time)"),
    "every_days": lazy("Every so many days"),
    "time": lazy("at"),
    "first": lazy("from"),
    "until": lazy("until"),
    "event": lazy("What happens"),
    "days": lazy("So many days"),
    "least_points": lazy("With at least so many points"),
    "hold_out_percent": lazy("Held out to measure"),
    "quiet_from": lazy("Nothing is sent from"),
    "quiet_to": lazy("until"),
    "per_week": lazy("Messages a member and week, of all campaigns"),
    "per_minute": lazy("At most so many a minute"),
    "budget": lazy("Budget for presents"),
    "measure_days": lazy("Measured over so many days"),
}
_RENAMED = {
    "gives": "thing",
    "thing_cost_minor": "thing_cost",
    "budget_minor": "budget",
    "kind": "when",
}
_STEP = re.compile(r"(\w+): ")

_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"there is no (\{.+\}); a text may have (.+)\."),
        lambda m: _(
            "%(unknown)s is filled in with nothing: a text may have %(known)s.",
            unknown=m[1],
            known=m[2],
        ),
    ),
    (
        re.compile(r"quiet hours have .*"),
        lambda m: _("Say both from when and until when nothing is sent, or neither."),
    ),
    (
        re.compile(r"quiet hours that begin .*"),
        lambda m: _("This is the time at which it begins: choose another, or empty both."),
    ),
    (
        re.compile(r".* has characters that cannot be shown.*"),
        lambda m: _("There are characters in it that cannot be shown: type it anew."),
    ),
    (
        re.compile(r"write what the lock screen is to say.*|say what customers are to read\."),
        lambda m: _("Write what the lock screen is to say, in one language at least."),
    ),
    (re.compile(r"Write a time as .*"), lambda m: _("Write a time such as 20:00.")),
    (
        re.compile(r"Write a (?:moment|day) as .*|A moment names its zone\.|say when\."),
        lambda m: _("Choose a day and time."),
    ),
    (re.compile(r"say what is waited for\."), lambda m: _("Choose what is waited for.")),
    (
        re.compile(r"after how many days without a visit\."),
        lambda m: _("Say after how many days without a visit."),
    ),
    (
        re.compile(r"A segment has at most (\d+) conditions\."),
        lambda m: _("There are at most %(most)s conditions.", most=m[1]),
    ),
    (
        re.compile(r"\w+ is more than \w+: nobody is both\."),
        lambda m: _("The lower number is more than the higher: nobody is both."),
    ),
    (
        re.compile(r"A campaign's name has 1 to (\d+) characters\."),
        lambda m: _("Write 1 to %(count)s characters.", count=m[1]),
    ),
)


def by_field(wrong: Invalid, language: str) -> Invalid:
    """*wrong* as the form shows it: a sentence beside each field, all of them above the form.

    *language* is the one whose message is asked for where there is none at all.
    """
    texts = [text for said in wrong.fields.values() for text in said] or [wrong.message]
    if wrong.fields and wrong.message not in texts:
        return wrong  # The form said it itself, by field.
    found: dict[str, list[str]] = {}
    told = []
    for text in texts:
        field, sentence = _told(text, language)
        found.setdefault(field or next(iter(wrong.fields), "plan"), []).append(sentence)
        label = _label(field)
        told.append(f"{label}: {sentence}" if label else sentence)
    return Invalid(" ".join(told), found)


def segment_words(text: str) -> str:
    """What is wrong with the conditions, with the condition's name before it."""
    path, sentence = _split(text)
    names = [words.KINDS.get(step) or words.PARAMETERS.get(step) for step in path]
    return ": ".join([str(name) for name in names if name] + [_say(sentence)])


def _told(text: str, language: str) -> tuple[str, str]:
    path, sentence = _split(text)
    if path[:1] == ["segment"]:
        return "segment", segment_words(text)
    return _field(path, sentence, language), _say(sentence)


def _split(text: str) -> tuple[list[str], str]:
    path = []
    while match := _STEP.match(text):
        path.append(match[1])
        text = text[match.end() :]
    return path, text


def _field(path: list[str], sentence: str, language: str) -> str:
    """The field of the form that a path into the plan means; empty where there is none."""
    if path[:1] == ["content"] and len(path) < 3 and path[1:] in ([], ["message"]):
        return f"message-{language}"
    if path[:2] == ["content", "message"]:
        return f"message-{path[2]}"
    if path[:2] == ["content", "article"] and len(path) > 2:
        return f"{'title' if sentence.startswith('A title') else 'text'}-{path[2]}"
    if path == ["limits"] and sentence.startswith("quiet hours"):
        return "quiet_to"
    if path == ["when"] and sentence.endswith(" is missing."):
        return sentence.split()[0]
    if not path and sentence.startswith("A campaign's name"):
        return "name"
    for step in path[1:2] or path:
        name = _RENAMED.get(step, step)
        return name if name in LABELS else ""
    return ""


def _label(field: str) -> str:
    part, _hyphen, language = field.partition("-")
    if language in plans.LANGUAGES:
        texts = {
            "message": _("On the lock screen"),
            "title": _("Title on the back of the pass"),
            "text": _("Text on the back of the pass"),
        }
        return f"{texts[part]} ({language})"
    if field == "quiet_to":
        return f"{LABELS['quiet_from']} … {LABELS['quiet_to']}"
    return str(LABELS.get(field, ""))


def _say(sentence: str) -> str:
    for pattern, said in _SENTENCES:
        if match := pattern.fullmatch(sentence):
            return said(match)
    return in_language(sentence)
