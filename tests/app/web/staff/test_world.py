"""What looks for dangers on the staff pages finds them: a test of the tests."""

from types import SimpleNamespace

import pytest

from tests.app.web.staff.test_security import _executed
from tests.app.web.staff.world import Reader


@pytest.mark.parametrize(
    "page",
    [
        "<p>'\"><script>x7()</script></p>",
        "<p title='a' onclick='x()'>b</p>",
        "<input value='' onerror=x7()>",
        "<p style='color:red'>b</p>",
        "<style>p{}</style>",
        "<a href='javascript:x()'>b</a>",
        "<a href=' JavaScript:x()'>b</a>",
        "<a href='//evil.example'>b</a>",
        "<form action='http://evil.example'></form>",
        "<iframe src='/x'></iframe>",
        "<base href='/x'>",
        "<script type='application/json'>{}</script><script>1</script>",
    ],
)
def test_what_no_page_may_have_is_found(page: str) -> None:
    assert Reader(page, "/").forbidden


def test_what_every_page_has_is_fine() -> None:
    page = (
        "<script src='/static/a.js'></script><script type='application/json'>{\"a\": 1}</script>"
        "<link rel=icon href='data:,'><img src='data:image/png;base64,A'><a href='/x?y=z'>b</a>"
        "<p>&lt;script&gt;x7()&lt;/script&gt; onclick=x()</p>"
    )
    assert Reader(page, "/").forbidden == []


@pytest.mark.parametrize("cell", ["=1+1", "+1", "@x", "-x", "\tx"])
def test_a_formula_in_a_file_is_found(cell: str) -> None:
    answer = SimpleNamespace(mimetype="text/csv", text=f'\ufeffa,b\n1,"{cell}"\n')
    assert _executed(answer) == [cell]


def test_numbers_and_plain_text_are_no_formulas() -> None:
    answer = SimpleNamespace(mimetype="text/csv", text="\ufeffa,b\n-12.5,'=1+1\n")
    assert _executed(answer) == []


def test_forms_are_read_with_what_they_came_with() -> None:
    page = (
        "<form method=post action='/a'><input type=hidden name=t value=1><input name=n value=x>"
        "<select name=s><option value=1><option value=2 selected></select><textarea name=w>"
        "</textarea><input type=file name=f><button formaction='/b'>c</button></form>"
    )
    other, form = Reader(page, "/").forms
    assert (form.action, form.method, other.action) == ("/a", "POST", "/b")
    assert form.fields == {"t": "1", "n": "x", "s": "2", "w": ""}
    assert (form.texts, form.files) == ({"n", "w"}, {"f"})
