"""ONNX Runtime, which swift-f0 and DNSMOS bring along, reports its use to its makers unless it is told not to."""

from __future__ import annotations

import os


def silence() -> None:
    """Call before it is imported."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
