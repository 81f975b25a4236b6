"""The layers that every request passes before the app: one concern per file, put together in `stack.py`."""
