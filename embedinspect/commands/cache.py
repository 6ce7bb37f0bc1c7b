"""`embedinspect cache`: what was kept of large files."""

from __future__ import annotations

from typing import Annotated

from embedinspect.commands import options as option
from embedinspect.commands.groups import FormGroup
from embedinspect.output.forms import Answer, write_answer


def cache(
    form: FormGroup,
    clear: Annotated[bool, option.flag(option.WRITING, "Remove all of it.", "--clear")] = False,
    prune: Annotated[
        bool,
        option.flag(
            option.WRITING,
            "Remove what is out of date: what was read of files that have changed or are gone, and "
            "code of former versions and of installations that are gone.",
            "--prune",
        ),
    ] = False,
) -> None:
    """Show what is kept so that it is ready at once: large files of vectors, and the code of the
    LSTM for this processor; or clear it.

    It lies in the platform's cache folder, or where the variable EMBEDINSPECT_CACHE says. A file
    that has changed is read anew.

    \b
    Examples:
    embedinspect cache
    embedinspect cache --prune
    embedinspect cache --clear
    """
    chosen = form.choose()
    from embedinspect.formats import cache as kept
    from embedinspect.output import cache as output
    from embedinspect.training.lstm import compiled_code

    removing = clear or prune
    entries = kept.clear(stale_only=not clear) if removing else kept.entries()
    freed = sum(entry.size for entry in entries) if removing else None
    compiled = compiled_code.clear(stale_only=not clear) if removing else compiled_code.entries()
    answer = Answer(
        title="What is kept of large files",
        page=lambda: output.page(kept.folder(), entries, compiled, freed),
        document=lambda: output.document(kept.folder(), entries, compiled, freed),
    )
    write_answer(answer, chosen)
