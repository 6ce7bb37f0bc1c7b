"""What a check finds, and what all checks together say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from embedinspect.analysis.doctor.case import Case, Need
from embedinspect.analysis.health import Rows

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        kind: a short name that stays the same, such as `id-without-row`.
        severity: `error` where a result is wrong or fails, `warning` where it probably suffers,
            `note` where it is merely worth knowing.
        what: what is wrong, in a sentence.
        evidence: the numbers that show it.
        leads_to: what it leads to, and on which backend.
        mend: the one change that mends it; None where nothing needs to be done.
        numbers: the evidence for programs; shares are from 0 to 1.
        rows: all rows that it is about, where it is about rows.
    """

    kind: str
    severity: Severity
    what: str
    evidence: str
    leads_to: str
    mend: str | None
    numbers: dict[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True)
class Check:
    """One question that `doctor` asks.

    Attributes:
        topic: what it is about, in a word or two.
        in_order: what is true where it finds nothing, in words.
        needs: what must be known before it can find anything.
        find: yields what is wrong; nothing where all is in order.
        clears: what must be known, too, before finding nothing means that all is in order.
        concerns: whether the case has that which it is about, as a mask that may be lost; True
            as long as that is not known.
    """

    topic: str
    in_order: str
    needs: tuple[Need, ...]
    find: Callable[[Case], Iterable[Finding]]
    clears: tuple[Need, ...] = ()
    concerns: Callable[[Case], bool] = lambda case: True


@dataclass(frozen=True)
class Diagnosis:
    """The record that `doctor` prints.

    Attributes:
        case: what was looked at.
        findings: the worst first, else in the order of the checks.
        in_order: what was checked and is in order, in words.
        not_checked: topics that were not checked, each with what it would have needed.
    """

    case: Case
    findings: list[Finding]
    in_order: list[str]
    not_checked: list[tuple[str, Need]]

    def count(self, severity: Severity) -> int:
        """Return how many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def at_or_above(self, severity: Severity) -> bool:
        """Return whether a finding is of this severity or a worse one."""
        worst = SEVERITIES.index(severity)
        return any(SEVERITIES.index(finding.severity) <= worst for finding in self.findings)


def share(part: float, whole: float) -> str:
    """Return a part of a whole in percent.

    >>> share(1, 3), share(1, 100_000)
    ('33.3%', 'below 0.1%')
    """
    value = part / whole if whole else 0.0
    return f"{value:.1%}" if not 0 < value < 0.0005 else "below 0.1%"
