"""The house is kept: whoever opens a file can read it in one go, and a function on one screen."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("app", "scanner", "passes", "tests", "benchmarks")
#: What people write here; data, pictures, fonts and catalogues are no such thing.
WRITTEN = {".py", ".js", ".mjs", ".css", ".html", ".sh"}
#: What a machine writes, and what others wrote.
NOT_OURS = {"versions", "vendor", "__pycache__"}
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 70


def written(root: Path) -> Iterator[Path]:
    """Every file below *root* that somebody here has to read."""
    for part in PARTS:
        for path in sorted((root / part).rglob("*")):
            below = path.relative_to(root).parts
            if path.suffix in WRITTEN and not NOT_OURS & set(below) and path.is_file():
                yield path


def too_long(root: Path) -> list[str]:
    """The files and functions that are longer than they may be, with their lengths."""
    found = []
    for path in written(root):
        text = path.read_text("utf-8")
        name = path.relative_to(root).as_posix()
        if (lines := len(text.splitlines())) > MOST_LINES:
            found.append(f"{name}: {lines} lines")
        if path.suffix == ".py":
            found += [f"{name}: {each}" for each in _long_functions(ast.parse(text))]
    return found


def _long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield f"{node.name}() has {lines} lines"


def test_no_file_has_more_than_400_lines_and_no_function_more_than_70() -> None:
    files = list(written(ROOT))
    assert len(files) > 1000, "the tree is somewhere else"
    assert too_long(ROOT) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("app/a.py", "x = 1\n" * 401, ["401 lines"]),
        ("app/a.py", "x = 1\n" * 400, []),
        ("app/static/a.js", "x;\n" * 401, ["401 lines"]),
        ("tests/a.py", "class A:\n async def f():\n" + "  x\n" * 70, ["f() has 71 lines"]),
        ("tests/a.py", "@g\ndef f():\n" + "  x\n" * 69, []),
        ("app/migrations/versions/a.py", "x = 1\n" * 401, []),
        ("app/static/vendor/a.js", "x;\n" * 401, []),
    ],
)
def test_what_is_too_long_is_named(tmp_path: Path, name: str, text: str, says: list[str]) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert too_long(tmp_path) == [f"{name}: {each}" for each in says]
