"""The plugin's entry point. Every Airflow process loads it, so it does not import what only the API server needs.

The pages are one FastAPI app under `/gem`, shown in frames: a tab of the navigation, tabs on runs and task instances.
URLs are relative, so that they work under a path prefix.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/gem"


class LazyApp:
    """An ASGI app that is created at its first request."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers one request.

        Args:
            scope: the request's scope; gets a reference to the surrounding app, for calls to Airflow's own API.
            receive: receives the body.
            send: sends the response.
        """
        if self._app is None:
            from anyio import to_thread

            self._app = await to_thread.run_sync(_create)
        scope["gem_airflow"] = scope.get("app")
        await self._app(scope, receive, send)


def _create() -> Any:
    from gem_console.app import create_app

    return create_app()


def _view(name: str, href: str, destination: str, route: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "href": href, "destination": destination, "url_route": route, **more}


class GemPlugin(AirflowPlugin):
    """Registers the app and its tabs with Airflow."""

    name = "gem_console"
    fastapi_apps: list[Any] = [{"app": LazyApp(), "url_prefix": PREFIX, "name": "GEM"}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012 - Airflow declares them so
        _view("GEM", "gem/", "nav", "gem", nav_top_level=True, icon="gem/static/gem.svg",
              icon_dark_mode="gem/static/gem-dark.svg"),
        _view("GEM", "gem/run?dag_id={DAG_ID}&run_id={RUN_ID}", "dag_run", "gem_run"),
        _view("GEM", "gem/task?dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}",
              "task_instance", "gem_task"),
    ]  # fmt: skip
