"""What other programs will do with the file."""

from __future__ import annotations

from collections.abc import Iterator

from embedinspect.analysis.doctor.case import Case
from embedinspect.analysis.doctor.finding import Check, Finding
from embedinspect.analysis.other_readers import TEXTS, of_words


def words_read_otherwise(case: Case) -> Iterator[Finding]:
    """Find words of a text of vectors that gensim or a plain split() reads in another way."""
    assert case.source is not None
    remarks = list(of_words(case.source))
    if remarks:
        yield Finding(
            kind="words-read-otherwise",
            severity="note",
            what="other programs read some words of the file in another way, or not at all",
            evidence="; ".join(remarks),
            leads_to="code that reads the file with them ends in an error, or has other rows",
            mend="embedinspect export to a form such as .npy or .parquet, which holds any word",
            numbers={"remarks": remarks},
        )


CHECKS = (
    Check(
        "other readers",
        "no word holds white space or stands twice",
        ("matrix",),
        words_read_otherwise,
        concerns=lambda case: case.source is None or case.source.kind in TEXTS,
    ),
)
