from embedinspect.errors import DataError as DataError
from embedinspect.errors import EmbedInspectError as EmbedInspectError
from embedinspect.errors import UsageError as UsageError
from embedinspect.notebook import Matrix as Matrix
from embedinspect.notebook import Result as Result
from embedinspect.notebook import evaluate as evaluate
from embedinspect.notebook import explain as explain
from embedinspect.notebook import open as open  # noqa: A004 (a name of ours)
from embedinspect.notebook import show as show

__version__: str
