"""The app's figures for Prometheus. No label identifies a client."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter("lab_requests", "Requests answered", ["route", "method", "status"], registry=REGISTRY)
LATENCY = Histogram("lab_request_seconds", "Time to the start of an answer", ["route"], registry=REGISTRY)
JOBS = Gauge("lab_jobs", "Comparisons under way", registry=REGISTRY)
WORKERS = Counter("lab_workers", "Computing processes started, and why: first, lost, grown", ["why"], registry=REGISTRY)
STALLED = Counter("lab_stalled_jobs", "Comparisons given up because nothing moved", registry=REGISTRY)
FREE_DISK = Gauge("lab_free_disk_bytes", "Free space where the data lies", registry=REGISTRY)
ALARMS = Gauge(
    "lab_listening_alarms", "Checks of listening studies that nearly everybody fails, unanswered", registry=REGISTRY
)
