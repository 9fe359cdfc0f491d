"""`/v1/files`: what was uploaded or written by a batch, kept in a folder across restarts.

platform.openai.com/docs/api-reference/files
"""

import json
import time
import uuid
from pathlib import Path
from typing import Any, cast

from aiohttp import BodyPartReader, web

from gem_tasks.files import replacing
from offline_teacher.server.protocol import Refused

_MAX_BYTES = 200_000_000
"""Of a batch's input file."""
_CHUNK_BYTES = 1 << 20


class Files:
    """Each file is two: `{id}.json` with the file object, `{id}.bin` with the content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, source: Path, filename: str, purpose: str) -> dict[str, Any]:
        """Takes a file over; returns the file object."""
        file_id = f"file-{uuid.uuid4().hex[:24]}"
        source.replace(self._folder / f"{file_id}.bin")
        entry = {
            "id": file_id,
            "object": "file",
            "bytes": (self._folder / f"{file_id}.bin").stat().st_size,
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        write_json(self._folder / f"{file_id}.json", entry)
        return entry

    def entry(self, file_id: str) -> dict[str, Any]:
        """The file object.

        Raises:
            Refused: there is no such file.
        """
        path = self._folder / f"{Path(file_id).name}.json"
        if not path.exists():
            raise Refused(404, f"No such File object: {file_id:.100}", "not_found")
        return read_json(path)

    def path(self, file_id: str) -> Path:
        """Where the content is; raises like `entry`."""
        return self._folder / f"{self.entry(file_id)['id']}.bin"

    def scratch(self) -> Path:
        """Where to write what is to be added."""
        return self._folder / f"{uuid.uuid4().hex}.part"

    async def upload(self, request: web.Request) -> web.Response:
        """`POST /v1/files`."""
        if not request.content_type.startswith("multipart/"):
            raise Refused(400, "A file is uploaded as multipart/form-data", "invalid_request")
        part, filename, purpose = self.scratch(), "", ""
        try:
            reader = await request.multipart()
            while field := cast("BodyPartReader | None", await reader.next()):
                if field.name == "purpose":
                    purpose = await field.text()
                elif field.name == "file":
                    filename = field.filename or "upload"
                    await _receive(field, part)
            if not filename or not purpose:
                raise Refused(400, "file and purpose are required", "invalid_request")
            return web.json_response(self.add(part, filename, purpose))
        finally:
            part.unlink(missing_ok=True)

    async def retrieve(self, request: web.Request) -> web.Response:
        """`GET /v1/files/{id}`."""
        return web.json_response(self.entry(request.match_info["id"]))

    async def content(self, request: web.Request) -> web.FileResponse:
        """`GET /v1/files/{id}/content`."""
        path = self.path(request.match_info["id"])
        return web.FileResponse(path, headers={"Content-Type": "application/octet-stream"})

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /v1/files/{id}`."""
        file_id = self.entry(request.match_info["id"])["id"]
        for suffix in ("json", "bin"):
            (self._folder / f"{file_id}.{suffix}").unlink(missing_ok=True)
        return web.json_response({"id": file_id, "object": "file", "deleted": True})


async def _receive(field: BodyPartReader, part: Path) -> None:
    size = 0
    with part.open("wb") as file:
        while chunk := await field.read_chunk(_CHUNK_BYTES):
            size += len(chunk)
            if size > _MAX_BYTES:
                raise Refused(413, f"A file has at most {_MAX_BYTES} bytes", "file_too_large")
            file.write(chunk)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Atomically."""
    with replacing(path) as part:
        part.write_text(json.dumps(value), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
