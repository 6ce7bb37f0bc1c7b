"""The tool in Python and in notebooks: its questions as functions, its answers as values.

Each function asks what the command of the same name asks, with the same options by the same names,
and by the same code: so an answer is just what the command prints. `import embedinspect` has these
names, and loads this room when one of them is used.
"""

from embedinspect.errors import DataError, EmbedInspectError, KerasUnavailable, UsageError
from embedinspect.notebook.asking import EmbedInspectWarning
from embedinspect.notebook.matrix import Matrix
from embedinspect.notebook.opening import open  # noqa: A004 (a name of ours)
from embedinspect.notebook.questions import doctor, evaluate, explain, show, train
from embedinspect.notebook.result import Result

__all__ = [
    "DataError",
    "EmbedInspectError",
    "EmbedInspectWarning",
    "KerasUnavailable",
    "Matrix",
    "Result",
    "UsageError",
    "doctor",
    "evaluate",
    "explain",
    "open",
    "show",
    "train",
]
