"""The API's description: OpenAPI for programs and a page for people, behind the same rights as the API itself."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from gem_console import rendering

router = APIRouter(prefix="/api")


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The description as OpenAPI has it."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The same to read."""
    spec: dict[str, Any] = request.app.openapi()
    routes = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    return rendering.page(request, "api.html", {"routes": routes, "schemas": spec["components"]["schemas"]})
