"""Trainings by several processes on this machine, and the state that they leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embedinspect.training import run_folder, session
from embedinspect.training.hosts.supervise import Fleet


def silent(_) -> None:
    """Report no progress."""


def train(begun: session.Session, report=silent) -> run_folder.Run:
    with Fleet(begun, begun.plan) as fleet:
        fleet.start()
        return fleet.train(report)


def arrays(path: str) -> dict[str, np.ndarray]:
    """Return the arrays of the checkpoint of a run."""
    [checkpoint] = Path(path).glob("checkpoint/*.npz")
    with np.load(checkpoint) as data:
        return dict(data)
