"""The error of a session's requests."""


class RequestError(Exception):
    """A request that is refused. code: for the page's program; detail: one sentence for its reader."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail
