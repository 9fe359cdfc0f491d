"""What Airflow loads, in every one of its processes: so nothing is imported here that only the API server needs.

The pages are one FastAPI app under `/gem`, shown in frames: a tab of the navigation, tabs on runs and task instances.
Addresses are relative, so that they hold under a path prefix.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/gem"


class LazyApp:
    """The ASGI app, made when it is first asked for something."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers one request.

        Args:
            scope: of the request; told which app this one is mounted in, for calls to Airflow's own API.
            receive: its body.
            send: takes the answer.
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
    """The pages and where they hang."""

    name = "gem_console"
    fastapi_apps: list[Any] = [{"app": LazyApp(), "url_prefix": PREFIX, "name": "GEM"}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012 - Airflow declares them so
        _view("GEM", "gem/", "nav", "gem", nav_top_level=True, icon="gem/static/gem.svg",
              icon_dark_mode="gem/static/gem-dark.svg"),
        _view("GEM", "gem/run?dag_id={DAG_ID}&run_id={RUN_ID}", "dag_run", "gem_run"),
        _view("GEM", "gem/task?dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}",
              "task_instance", "gem_task"),
    ]  # fmt: skip
