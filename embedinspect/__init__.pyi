from embedinspect.notebook import DataError as DataError
from embedinspect.notebook import EmbedInspectError as EmbedInspectError
from embedinspect.notebook import EmbedInspectWarning as EmbedInspectWarning
from embedinspect.notebook import KerasUnavailable as KerasUnavailable
from embedinspect.notebook import Matrix as Matrix
from embedinspect.notebook import Result as Result
from embedinspect.notebook import UsageError as UsageError
from embedinspect.notebook import doctor as doctor
from embedinspect.notebook import evaluate as evaluate
from embedinspect.notebook import explain as explain
from embedinspect.notebook import open as open  # noqa: A004 (a name of ours)
from embedinspect.notebook import show as show
from embedinspect.notebook import train as train

__version__: str
