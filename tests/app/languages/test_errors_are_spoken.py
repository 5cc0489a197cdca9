"""What is wrong is said in the reader's language, wherever a page can come upon it.

Read from the code itself: an error made with a sentence that does not go through `_()` would be
shown in English to everybody.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import errors

_APP = Path(errors.__file__).parent
#: What pages reach: whole packages, and single modules of those that other programs use as well.
_REACHED = (
    *("approvals", "campaigns", "designer", "members", "referrals", "staff", "web", "webhooks"),
    *("cards/accounts.py", "cards/holders.py", "cards/pins.py", "cards/service.py"),
    *("delivery/apple_passes.py", "delivery/google/passes.py"),
    *("delivery/inspecting.py", "delivery/leaving.py", "ledger/_merge.py", "ledger/_returns.py"),
    *("ledger/_unmerge.py", "ledger/by_hand.py", "ledger/tiers/by_hand.py", "mail/confirming.py"),
    *("mail/tokens.py", "programmes/design_releases.py", "programmes/design_texts.py"),
    *("programmes/designs.py", "programmes/drafts", "programmes/file/applying.py"),
    *("programmes/pilots.py", "programmes/service.py", "programmes/settings.py"),
    *("programmes/terms.py", "programmes/wallet_extras.py", "programmes/wording.py"),
    "till/waiting.py",
)
#: Heard at a till, which has words of its own for each `code`, or read by who runs the service.
_ELSEWHERE = {
    *("CardRefused", "Misconfigured", "WrongMemberPin", "MemberPinLocked"),
    *("WrongPin", "PinLocked"),
}


def _trees() -> list[tuple[Path, ast.Module]]:
    return [(file, ast.parse(file.read_text())) for file in sorted(_APP.rglob("*.py"))]


def _named(node: ast.AST) -> str:
    return getattr(node, "attr", None) or getattr(node, "id", "")


def _kinds(trees: list[tuple[Path, ast.Module]]) -> set[str]:
    """The names of all errors of `app.errors` and of those that derive from them."""
    kinds = {"CounterfoilError"}
    classes = [
        node for _file, tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    while new := {
        each.name
        for each in classes
        if each.name not in kinds and kinds & {_named(base) for base in each.bases}
    }:
        kinds |= new
    return kinds


def _sentences(node: ast.AST) -> Iterator[ast.AST]:
    """Literal sentences in an expression, but those that a call (such as of `_`) takes."""
    if isinstance(node, ast.JoinedStr):
        if any(isinstance(each, ast.Constant) and " " in each.value for each in node.values):
            yield node
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and " " in node.value.strip():
            yield node
    elif not isinstance(node, ast.Call):
        for each in ast.iter_child_nodes(node):
            yield from _sentences(each)


def _unspoken(tree: ast.Module, kinds: set[str]) -> Iterator[ast.AST]:
    """Sentences of errors as they stand, and those that were put into a name before."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = set()
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _named(call.func) in kinds:
                for given in (*call.args, *(each.value for each in call.keywords)):
                    yield from _sentences(given)
                    names |= {each.id for each in ast.walk(given) if isinstance(each, ast.Name)}
        for put in ast.walk(function):
            if isinstance(put, ast.Assign):
                [target, *_] = put.targets
                if _named(target.value if isinstance(target, ast.Subscript) else target) in names:
                    yield from _sentences(put.value)


def test_an_error_that_a_page_can_show_is_said_in_the_readers_language() -> None:
    trees = _trees()
    kinds = _kinds(trees) - _ELSEWHERE
    assert {"Invalid", "NotADraft", "CouponNotOpen"} <= kinds
    reached = tuple(str(_APP / each) for each in _REACHED)
    found = {
        f"{file.relative_to(_APP)}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}"
        for file, tree in trees
        if str(file).startswith(reached)
        for node in _unspoken(tree, kinds)
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n raise Invalid('Say why.')",
        "def f(n):\n raise Invalid(f'There is no {n}.')",
        "def f():\n raise Invalid(_('Say why.'), {'reason': ['in few words']})",
        "def f():\n said = 'Say why.'\n raise Invalid(said)",
        "def f():\n wrong = {}\n wrong['reason'] = ['Say why.']\n raise Invalid(_('No.'), wrong)",
    ],
)
def test_a_sentence_in_english_alone_is_found(code: str) -> None:
    assert len(list(_unspoken(ast.parse(code), {"Invalid"}))) == 1
