"""Whether vectors are drawn: what --heat means beside the form and the decimals of an answer."""

from __future__ import annotations

from embedinspect.errors import UsageError
from embedinspect.output.forms import Form

# Forms that are numbers and text alone.
_OF_NUMBERS = frozenset({Form.JSON, Form.NDJSON, Form.CSV, Form.MARKDOWN})


def heat_wanted(heat: bool | None, form: Form, precision: int | None) -> bool | None:
    """Return whether vectors are drawn; None where it depends on the room that there is.

    Args:
        heat: what --heat or --no-heat says.
        precision: the decimals that are asked for: numbers that are wanted are written.

    Raises:
        UsageError: --heat does not go with the form, or with --precision.
    """
    if heat and form in _OF_NUMBERS:
        raise UsageError(
            f"--heat draws vectors, and {form} has their numbers; leave out --heat, or write a "
            "table or an HTML page"
        )
    if precision is not None and form is Form.TABLE:
        if heat:
            raise UsageError(
                "--heat draws cells where --precision rounds numbers; leave out one of the two"
            )
        return False
    return heat
