"""`doctor`: what is wrong with a matrix, its words, its model, the texts and the settings."""

from __future__ import annotations

from dataclasses import replace

from embedinspect.analysis.doctor import (
    elsewhere,
    ids,
    language_model,
    model,
    reference,
    rows,
    texts,
    tokens,
)
from embedinspect.analysis.doctor.case import Case, Need
from embedinspect.analysis.doctor.finding import SEVERITIES, Diagnosis, Finding, Severity
from embedinspect.analysis.doctor.opening import make_case, open_case

CHECKS = (
    *language_model.CHECKS,
    *ids.CHECKS,
    *reference.CHECKS,
    *rows.CHECKS,
    *tokens.CHECKS,
    *language_model.LATE_CHECKS,
    *model.CHECKS,
    *elsewhere.CHECKS,
    *texts.CHECKS,
)


def diagnose(case: Case) -> Diagnosis:
    """Ask every question that the case has the means for; nothing in its files is run.

    A check that finds nothing says that all is in order only where it had all the evidence for it.
    """
    case = replace(case, findings=[])
    in_order: list[str] = []
    not_checked: list[tuple[str, Need]] = []
    for check in CHECKS:
        if not check.concerns(case):
            continue
        missing = next((need for need in check.needs if not case.has(need)), None)
        new = [] if missing is not None else list(check.find(case))
        missing = missing or next((need for need in check.clears if not case.has(need)), None)
        if new:
            case.findings.extend(new)
        elif missing is not None:
            not_checked.append((check.topic, missing))
        else:
            in_order.append(check.in_order)
    findings = sorted(case.findings, key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(case, findings, in_order, not_checked)


__all__ = [
    "CHECKS", "SEVERITIES", "Case", "Diagnosis", "Finding", "Need", "Severity", "diagnose",
    "make_case", "open_case",
]  # fmt: skip
