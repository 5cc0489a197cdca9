"""Programmes to begin with: a café, a bookshop, a builders' merchant."""

from importlib import resources

from app.errors import Invalid

EXAMPLES = ("bookshop", "builders-merchant", "cafe")


def example(name: str) -> str:
    """The file of an example. Raises `Invalid` where there is none of that name."""
    if name not in EXAMPLES:
        raise Invalid(f"There is no example {name[:40]!r}. There are: {', '.join(EXAMPLES)}.")
    return resources.files(__package__ or "").joinpath(f"{name}.toml").read_text(encoding="utf-8")
