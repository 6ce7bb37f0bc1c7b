"""`doctor`: what is wrong with a matrix, its words, its model, the texts and the settings."""

from __future__ import annotations

from dataclasses import replace

from embedinspect.analysis.doctor import ids, model, reference, rows, texts
from embedinspect.analysis.doctor.case import Case, Need
from embedinspect.analysis.doctor.finding import SEVERITIES, Diagnosis, Finding, Severity
from embedinspect.analysis.doctor.opening import make_case, open_case

CHECKS = (*ids.CHECKS, *reference.CHECKS, *rows.CHECKS, *model.CHECKS, *texts.CHECKS)


def diagnose(case: Case) -> Diagnosis:
    """Ask every question that the case has the means for; nothing in its files is run."""
    findings: list[Finding] = []
    in_order: list[str] = []
    not_checked: list[tuple[str, Need]] = []
    for check in CHECKS:
        missing = next((need for need in check.needs if not case.has(need)), None)
        if missing is not None:
            not_checked.append((check.topic, missing))
            continue
        new = list(check.find(case))
        findings.extend(new)
        if not new:
            in_order.append(check.in_order)
        elif any(finding.kind in reference.MISPLACED for finding in new):
            case = replace(case, misplaced=True)
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(case, findings, in_order, not_checked)


__all__ = [
    "CHECKS", "SEVERITIES", "Case", "Diagnosis", "Finding", "Need", "Severity", "diagnose",
    "make_case", "open_case",
]  # fmt: skip
