"""The API's description: OpenAPI for programs and a page for people, with the same permissions as the API."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from gem_console import rendering

router = APIRouter(prefix="/api")


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """Returns the OpenAPI description."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """Shows the description as a page."""
    spec: dict[str, Any] = request.app.openapi()
    routes = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    return rendering.page(request, "api.html", {"routes": routes, "schemas": spec["components"]["schemas"]})
