"""What `doctor` finds in a case, by kind."""

from __future__ import annotations

from embedinspect.analysis.doctor import Case, Finding, diagnose

WORDS = ("this", "is", "a", "text", "not")


def findings_in(case: Case) -> dict[str, Finding]:
    """Return the findings by their kind; none may come twice."""
    findings = diagnose(case).findings
    by_kind = {finding.kind: finding for finding in findings}
    assert len(by_kind) == len(findings)
    return by_kind


def severities_in(case: Case) -> dict[str, str]:
    """Return the severity of each finding by its kind."""
    return {kind: finding.severity for kind, finding in findings_in(case).items()}
