"""A hub of models on a real socket, with the answers of the true one: what it has, what is gated, what it knows not."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Handler(BaseHTTPRequestHandler):
    """Answers for one served folder; the server's attributes `name` and `folder` say which."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        name, folder = self.server.name, self.server.folder
        if "acme/gated" in path:
            self._refuse(403, "GatedRepo", "Access to model acme/gated is restricted.")
        elif path == f"/api/models/{name}/revision/main":
            files = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
            self._json({"id": name, "modelId": name, "sha": COMMIT, "siblings": files, "tags": []})
        elif path == f"/api/models/{name}/tree/{COMMIT}":
            self._json([self._entry(file) for file in sorted(folder.iterdir())])
        elif path.startswith(f"/{name}/resolve/{COMMIT}/") and (folder / path.rpartition("/")[2]).is_file():
            self._file(folder / path.rpartition("/")[2])
        else:
            self._refuse(404, "RepoNotFound", "Repository not found")

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _entry(self, file: Path) -> dict[str, object]:
        return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": self._mark(file)}

    def _mark(self, file: Path) -> str:
        return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()

    def _json(self, content: object) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _file(self, file: Path) -> None:
        self._send(200, file.read_bytes(), {"ETag": f'"{self._mark(file)}"', "X-Repo-Commit": COMMIT})

    def _refuse(self, status: int, code: str, message: str) -> None:
        body = json.dumps({"error": message}).encode()
        self._send(status, body, {"X-Error-Code": code, "X-Error-Message": message})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Hub(ThreadingHTTPServer):
    """Serves one folder under one name."""

    daemon_threads = True

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.folder = name, folder
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def hub(name: str, folder: Path) -> Iterator[Hub]:
    """A hub that runs while inside."""
    with Hub(name, folder) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
