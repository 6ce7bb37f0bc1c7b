"""What differs between two matrices: which rows moved, and which neighbors changed."""

from embedinspect.analysis.diff.compare import compare as compare
from embedinspect.analysis.diff.record import Difference as Difference
from embedinspect.analysis.diff.record import Moved as Moved
from embedinspect.analysis.diff.relation import Elsewhere as Elsewhere
from embedinspect.analysis.diff.relation import Relation as Relation
