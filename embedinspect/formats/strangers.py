"""Files that are no source: what they begin like, what they are, and how to convert them.

None of them is read here: some could run any code, and for the others a library's own reader is
the right one. The conversions name the file as PATH.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMPY = "numpy.save('rows.npy', rows)"


@dataclass(frozen=True)
class Stranger:
    """A kind of file that is not read.

    Attributes:
        pattern: what its first bytes match, from the first on.
        what: it is, with its article.
        convert: how it becomes a file that is read: a command, or a line of Python.
        text: whether a text of vectors could begin so, too, in theory.
    """

    pattern: re.Pattern[bytes]
    what: str
    convert: str
    text: bool = False


def _row(pattern: bytes, what: str, convert: str, *, text: bool = False) -> Stranger:
    return Stranger(re.compile(pattern, re.DOTALL), what, convert, text)


# The first that matches counts, so what is more special stands first.
STRANGERS = (
    _row(
        rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
        rb"|(?:sys_info|pickle|storages|tensors)\0.{248,251}ustar",
        "a PyTorch checkpoint in the form from before 1.6",
        "torch.save(torch.load(PATH, weights_only=True), 'weights.pt')",
    ),
    _row(
        rb"(?!.{0,40}gensim\.)"  # which is read
        rb"\x80[\x01-\x05](?:\x95|[]}(c\x8c\x8aKG])|[]}(]q\x00|c[\w.]+\n\w+\n|\([dlt]p?\d+\n",
        "a pickle, which could run any code",
        f"open it in Python where it comes from, and {_NUMPY}; gensim's own: "
        "vectors.save_word2vec_format('rows.vec')",
    ),
    _row(
        rb"FEA1\0",
        "a Feather file of version 1",
        "pyarrow.feather.read_table(PATH), then pyarrow.parquet.write_table(table, 'rows.parquet')",
    ),
    _row(
        rb"PK\x03\x04.{26}(?:\[Content_Types\]|xl/|word/|docProps/)",
        "a document of an office program",
        "save it as CSV; in Python: pandas.read_excel(PATH).to_csv('rows.csv', index=False)",
    ),
    _row(rb"PK\x05\x06", "an empty zip", "save the arrays again with numpy.savez"),
    _row(
        rb"MATLAB 5\.0",
        "a MATLAB file",
        "numpy.save('rows.npy', scipy.io.loadmat(PATH)[NAME])",
    ),
    _row(
        rb"version https://git-lfs",
        "a pointer of Git LFS, and not the file that it stands for",
        "git lfs pull",
        text=True,
    ),
    _row(rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x PATH"),
    _row(rb".{257}ustar", "a tar archive", "tar -xf PATH"),
    _row(rb"\xff\xfe|\xfe\xff", "a text in UTF-16", "iconv -f UTF-16 -t UTF-8 PATH > rows.txt"),
    _row(rb"%PDF-\d", "a PDF document", "take the numbers from where it was made"),
    _row(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "a picture", "take the numbers it was drawn from"),
    _row(
        rb"\s*<(?i:!doctype|html|head|\?xml)",
        "an HTML or XML page, perhaps in place of a download that failed",
        "download the file itself",
        text=True,
    ),
)


def stranger_like(start: bytes) -> Stranger | None:
    """Return what other kind of file these first bytes begin like; None for no known one."""
    return next((stranger for stranger in STRANGERS if stranger.pattern.match(start)), None)


def is_no_text(start: bytes) -> bool:
    """Return whether no text of vectors or numbers begins like this."""
    stranger = stranger_like(start)
    return stranger is not None and not stranger.text
