"""A web server for one command: on loopback, with a handful of files, gone with the command."""

from __future__ import annotations

import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["LoopbackServer"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
}

_HEADERS = {
    # A page that is isolated from others has a clock of 5 microseconds instead of 100, and threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


class LoopbackServer:
    """Serves the files it is given, and nothing else, for as long as its block lasts.

    Every address starts with a random word, so that no other program of the machine reads the
    models.

    Args:
        files: what to serve, by path: bytes, or the path of a file that is read when asked for.
    """

    def __init__(self, files: Mapping[str, bytes | Path]) -> None:
        self._files = {f"/{secrets.token_urlsafe(12)}/": files}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address that paths are appended to; it ends with a slash."""
        (prefix,) = self._files
        return f"http://127.0.0.1:{self.port}{prefix}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        ((prefix, files),) = self._files.items()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                content = files.get(path[len(prefix) :]) if path.startswith(prefix) else None
                if content is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                data = content.read_bytes() if isinstance(content, Path) else content
                kind = _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
                self.send_response(HTTPStatus.OK)
                for key, value in {"Content-Type": kind, **_HEADERS}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments: object) -> None:
                """Says nothing: the terminal is the report's."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
