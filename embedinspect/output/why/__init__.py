"""`why`: how a classifier comes to its answer, in three readings side by side."""

from embedinspect.output.why.document import document as document
from embedinspect.output.why.page import page as page
