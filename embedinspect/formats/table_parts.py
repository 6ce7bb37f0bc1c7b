"""Folders that hold the parts of one table, which are refused with the way to join them."""

from __future__ import annotations

from collections.abc import Collection

from embedinspect.errors import DataError
from embedinspect.wording import clipped_repr

_JOIN = {
    ".parquet": "pyarrow.parquet.write_table(pyarrow.dataset.dataset(PATH).to_table(), "
    "'rows.parquet')",
    ".arrow": "datasets.load_from_disk(PATH).to_parquet('rows.parquet')",
}


def refusal(path: str, names: Collection[str]) -> DataError | None:
    """Return the error for a folder that holds the parts of a table; None where it holds none.

    Args:
        names: of what is in the folder.
    """
    for suffix, join in _JOIN.items():
        parts = sorted(name for name in names if name.endswith(suffix))
        if len(parts) == 1:
            return DataError(
                f"{path!r} is a folder with one {suffix} file; expected that file: "
                f"{clipped_repr(parts[0], 80)}"
            )
        if parts:
            return DataError(
                f"{path!r} is a folder of {len(parts):,} {suffix} files, the parts of a table; "
                f"expected one file; to join them, in Python: {join.replace('PATH', repr(path))}"
            )
    return None
