"""The group of all commands: of their files only that of the one that was typed is imported.

Importing all of them took a third of the time that a command takes.
"""

import gc
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from app.cli.plain import PlainSpoken


class OnDemand(PlainSpoken):
    """Commands by name, with the file of `app.cli` whose COMMANDS each is among."""

    def __init__(self, *given: Any, homes: Mapping[str, str], **options: Any) -> None:
        super().__init__(*given, **options)
        self.homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, also of those that are not imported yet."""
        return sorted(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; its file is imported when it is asked for first."""
        if cmd_name in self.homes and cmd_name not in self.commands:
            self._import(self.homes[cmd_name])
        return super().get_command(ctx, cmd_name)

    def _import(self, home: str) -> None:
        # Nothing that importing makes can be thrown away, and looking for it took a fifth of the
        # start of every command; nor need it be looked through later, for it stays.
        collecting = gc.isenabled()
        gc.disable()
        try:
            module = import_module(f"app.cli.{home}")
        finally:
            if collecting:
                gc.enable()
        for command in module.COMMANDS:
            self.add_command(command)
        gc.freeze()
