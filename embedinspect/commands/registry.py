"""From the table of commands to the app: each command is made when it is asked for.

Making one costs some milliseconds, most of them in Typer's types, so the others are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from embedinspect.commands.parsing import HELP_NAMES
from embedinspect.commands.signature import flattened, unwrapped
from embedinspect.commands.table import COMMANDS, Command
from embedinspect.errors import UsageError


class Commands(Mapping[str, Any]):
    """The commands of the table by their names."""

    def __init__(self) -> None:
        self._rows = {command.name: command for command in COMMANDS}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            row = self._rows[name]
            app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            app.command(
                name,
                cls=row.parser,
                rich_help_panel=row.panel,
                context_settings={"help_option_names": list(HELP_NAMES)},
            )(flattened(row.run, row.forms))
            self._made[name] = typer.main.get_command(app)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _listed(row: Command) -> TyperCommand:
    """Return a command as the help of the app lists it."""
    text = unwrapped(row.run.__doc__ or "")
    return TyperCommand(name=row.name, help=text, rich_help_panel=row.panel)


class GroupParser(TyperGroup):
    """The commands of the app, and what is said of a name that is none of them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = Commands()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of the app, for which no command has to be made: a name and a sentence."""
        made, self.commands = self.commands, {row.name: _listed(row) for row in COMMANDS}
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = made

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, all hidden: the epilog names them."""
        parameters: list[Any] = super().get_params(ctx)
        for parameter in parameters:
            parameter.hidden = True
        return parameters

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return name, command and the arguments behind it.

        Raises:
            UsageError: there is no such command; it names what may have been meant.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from embedinspect.commands.meant import no_such_command

            raise UsageError(no_such_command(name, self.commands))
        return super().resolve_command(ctx, args)
