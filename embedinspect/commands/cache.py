"""`embedinspect cache`: what was kept of large files."""

from __future__ import annotations

from typing import Annotated

import typer

from embedinspect.commands import asking
from embedinspect.commands import options as option


def cache(
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove all of it.", rich_help_panel=option.OUTPUT)
    ] = False,
    format_name: option.FormatName = None,
    json: option.Json = False,
) -> None:
    """Show what is kept of large files of word vectors, so that they open at once; or clear it.

    It lies in the platform's cache folder, or where the variable EMBEDINSPECT_CACHE says. A file
    that has changed is read anew.

    Example: embedinspect cache --clear
    """
    form = asking.form_of(format_name, json)
    from embedinspect.formats import cache as kept
    from embedinspect.output import cache as output

    entries = kept.entries()
    freed = kept.clear() if clear else None
    asking.answer(
        form,
        lambda: output.document(kept.folder(), entries, freed),
        lambda screen: output.draw(kept.folder(), entries, freed, screen),
    )
