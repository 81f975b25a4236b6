"""The ground floor: what any command or process needs and that knows no audio.

It is imported before PyTorch, whose threads read once how to wait for each other."""

import os

THREAD_SPINS = 1000  # looks of a thread at what it waits for, before it sleeps; libgomp's own 300 000 take a time slice

# A thread that spins takes the core from the one that it waits for, where other processes compute as well: a training step of 0.4 s
# took 9.4 s beside one other busy thread on two cores, and takes 0.6 s so. Alone it takes a twentieth longer.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", str(THREAD_SPINS))
