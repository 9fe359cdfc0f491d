"""Style sheets, scripts and icons: the files of one folder, with the same permissions as the pages."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

_FOLDER = Path(__file__).parents[1] / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

router = APIRouter(prefix="/static")


@router.get("/{name}")
def file(name: str) -> FileResponse:
    """Returns a file by its name; pages add a version to its URL, so that browsers can cache it."""
    path = _FOLDER / name
    if name not in {each.name for each in _FOLDER.iterdir()} or path.suffix not in _TYPES:
        raise HTTPException(404, "There is no such file")
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "private, max-age=86400"})
