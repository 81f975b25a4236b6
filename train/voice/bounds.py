"""How much sound a run takes, and how long it may be; the page says so without loading PyTorch."""

from __future__ import annotations

MIN_SECONDS = 26.0  # of sound without pauses: 20 to learn from, and up to 6 to judge by
MAX_SECONDS = 1200.0  # of sound that is used; in the minutes of a run no more is heard often enough
MAX_FILE_SECONDS = 600.0  # of one file, of which the rest is not read
MAX_FILES = 200
DEFAULT_MINUTES, MAX_MINUTES = 10.0, 24 * 60.0  # of training
OWN_RECORDINGS = "own recordings"  # the licence that is assumed
