"""Finds, marks and removes GEM_HOME.

`make` calls this before anything is installed, so it uses only the standard library: `python -m gem_tasks.local.home
claim | check | clean`.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from gem_tasks.errors import UserError
from gem_tasks.files import make_private

MARK = ".gem-home"
"""A file in every folder that GEM created for itself. GEM never removes a folder without it."""
CHECKOUT = Path(__file__).resolve().parents[2]
_OURS = (
    "state.json", "services.env", "up.lock", MARK, "airflow", "audit", "distill", "evals", "journal", "logs",
    "sessions", "store", "teacher",
)  # fmt: skip
"""Folders that GEM writes, except the database, which PostgreSQL keeps closed, and the programs in `envs` and `uv`."""
_ROOT_STATE = Path("/var/lib")
_OWN = "Choose a folder that only GEM uses, such as GEM_HOME=~/gem."


def home_dir() -> Path:
    """GEM_HOME, absolute; an empty variable counts as unset.

    Raises:
        UserError: it is a folder that cannot be GEM's alone.
    """
    home = Path(os.environ.get("GEM_HOME") or ".gem").absolute()
    real = home.resolve()
    if real == Path(real.anchor) or _holds(real, _user_home()):
        raise UserError(f"GEM_HOME is {home}, which is not a folder for GEM alone", _OWN)
    return home


def claim(home: Path) -> None:
    """Creates the folder, and marks it as GEM's unless it already had contents. Only its owner can read the contents.

    Other users may pass through root's folder, because root runs the database and harnesses as other users.
    """
    home.mkdir(parents=True, exist_ok=True)
    if not any(home.iterdir()):
        (home / MARK).touch()
    for name in _OURS:
        make_private(home / name)
    if not (home / MARK).exists():
        return
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)


def away(data: Path) -> Path:
    """The folder of a cluster whose user cannot access `data`; see `postgres`."""
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return _ROOT_STATE / f"gem-{digest}"


def check(home: Path, checkout: Path = CHECKOUT) -> None:
    """Checks that GEM may remove a whole home.

    Raises:
        UserError: GEM did not create it, or it contains other files.
    """
    own = home == checkout / ".gem" or (home / MARK).is_file()
    if home.exists() and (not own or _holds(home.resolve(), checkout)):
        raise UserError(
            f"GEM did not create {home}, so it does not remove it",
            "Remove it yourself if it contains none of your files.",
        )


def clean(home: Path, checkout: Path = CHECKOUT) -> None:
    """Removes the checkout's environment and GEM_HOME, including a database outside it.

    Raises:
        UserError: as `check`; nothing is removed then.
    """
    check(home, checkout)
    database = away(home / "postgres")
    if (database / "home").is_file() and (database / "home").read_text(encoding="utf-8").strip() == str(home):
        _remove(database)
    _remove(checkout / ".venv")
    _remove(home)


def _remove(folder: Path) -> None:
    """Removes a folder, and first the target of a link. Never follows links inside."""
    if folder.is_symlink():
        target = folder.resolve()
        folder.unlink()
        if not (target / MARK).is_file():
            return
        folder = target
    if folder.exists():
        shutil.rmtree(folder)


def _holds(folder: Path, other: Path | None) -> bool:
    return other is not None and other.resolve().is_relative_to(folder)


def _user_home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user without an entry
        return None


def main(command: str) -> int:
    """The command line of the Makefile: `claim`, `check` or `clean`; returns the exit code."""
    try:
        {"claim": claim, "check": check, "clean": clean}[command](home_dir())
    except UserError as error:
        sys.stderr.write(f"gem: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
