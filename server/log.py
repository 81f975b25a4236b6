"""The app's log: lines of JSON on stderr."""

from __future__ import annotations

import json
import logging

ACCESS = logging.getLogger("lab.access")


class JsonLines(logging.Formatter):
    """A JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON: time (s since 1970), level, logger, message, the fields of `about`, and an error's traceback."""
        content = {"at": round(record.created, 3), "level": record.levelname.lower(), "from": record.name}
        content |= {"message": record.getMessage()} | getattr(record, "about", {})
        if record.exc_info:
            content["error"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)


def log_to_stderr(requests: bool) -> None:
    """requests: whether each request is logged, too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    ACCESS.setLevel(logging.INFO if requests else logging.WARNING)
