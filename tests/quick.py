"""What makes thousands of small tests quicker without changing what any of them sees.

Each test has an engine and an application of its own. What they work out from the same statements
and the same routes is worked out once a process.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy import create_engine as make_engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing.rules import Rule

import app.db.engine
from app.staff import passwords, service

_compiled: Any = LRUCache(4000)
_builders: dict[Any, Any] = {}


def hurry() -> None:
    """Do so from now on."""
    # One test looks that hashing is as slow as it has to be: test_hashing.py.
    for module, hashing in ((service, service.PIN_HASH), (passwords, passwords.HASH)):
        hashing.memory_cost, hashing.default_rounds = 64, 1
        vars(module)["_NOBODY"] = hashing.hash("nobody's")
    _share_statements()
    _share_routes()


def _share_statements() -> None:
    """Statements are kept by what they are and by the dialect: two of a kind are one here."""

    def kind(dialect: Any) -> Any:
        return type(dialect), dialect.server_version_info

    def is_same(one: Any, other: object) -> bool:
        return isinstance(other, DefaultDialect) and kind(one) == kind(other)

    dialects: Any = DefaultDialect
    dialects.__eq__ = is_same
    dialects.__hash__ = lambda dialect: hash(type(dialect))

    def create_engine(*arguments: Any, **named: Any) -> Engine:
        engine = make_engine(*arguments, **named)
        engine._compiled_cache = _compiled
        return engine

    vars(app.db.engine)["create_engine"] = create_engine


def _share_routes() -> None:
    """What builds a route's addresses is compiled from the route's text."""
    compile_builder: Callable[..., Any] = Rule._compile_builder

    def builder(rule: Any, append_unknown: bool = True) -> Any:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in _builders:
            _builders[key] = compile_builder(rule, append_unknown)
        return _builders[key]

    rules: Any = Rule
    rules._compile_builder = builder
