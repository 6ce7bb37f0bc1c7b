"""`train` for programs: one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict

from embedinspect import __version__
from embedinspect.output.jsontext import SCHEMA_VERSION
from embedinspect.training.data import DataSummary
from embedinspect.training.run_folder import Run


def json_document(run: Run, summary: DataSummary, chosen: dict[str, object]) -> str:
    """Return the document; its schema is `embedinspect schema train`.

    Args:
        chosen: the settings that followed the size of the data.
    """
    layers = [
        {"layer": name, "output_shape": shape, "formula": formula, "parameters": count}
        for name, shape, formula, count in run.settings.parameters()
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "command": "train",
        "version": __version__,
        "run": str(run.path),
        "status": run.status,
        "settings": asdict(run.settings),
        "settings_by_data_size": chosen,
        "data": {
            "name": run.data["name"],
            "fingerprint": run.data["fingerprint"],
            "label_names": run.data["label_names"],
            **asdict(summary),
        },
        "layers": layers,
        "parameters": sum(layer[3] for layer in run.settings.parameters()),
        "history": list(run.history),
        "test": run.test,
        "versions": run.versions,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
