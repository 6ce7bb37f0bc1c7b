"""What the numbers of a matrix tell about its rows, each worked out once and only when asked."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from embedinspect.analysis import near_duplicates, untrained
from embedinspect.analysis.health import Rows
from embedinspect.analysis.language_model import in_reserve
from embedinspect.source import Source


class Marks:
    """The marks that rows of a source bear."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rows, self._lengths = source.matrix.rows, source.lengths()

    @cached_property
    def in_reserve(self) -> Rows:
        """The rows that the vocabulary keeps in reserve, such as that of `[unused5]`."""
        return in_reserve(self._source)

    @cached_property
    def short_cluster(self) -> untrained.ShortCluster | None:
        """Short rows that stand apart."""
        return untrained.short_cluster(self._rows, self._lengths, self.in_reserve)

    @cached_property
    def drawn(self) -> untrained.AsDrawn | None:
        """Rows that look as an initializer draws them; a run has those from before training."""
        if self._source.run is not None:
            return None
        cluster = self.short_cluster
        return untrained.as_drawn(
            self._rows, np.empty(0, np.int64) if cluster is None else cluster.rows
        )

    @cached_property
    def at_the_mean(self) -> untrained.AtTheMean | None:
        """Rows at the mean of all others."""
        return untrained.at_the_mean(self._rows, self._lengths)

    @cached_property
    def untrained(self) -> Rows:
        """All rows with one of these marks, and rows of zeros."""
        groups = (self.short_cluster, self.drawn, self.at_the_mean)
        marked = np.asarray(self._lengths == 0)
        for group in groups:
            if group is not None:
                marked[group.rows] = True
        return np.flatnonzero(marked)

    @cached_property
    def near_duplicates(self) -> near_duplicates.NearDuplicates | None:
        """Rows that point almost as an earlier one does."""
        return near_duplicates.near_duplicates(self._rows, self._lengths)
