"""The menus in force: the file that GEM_PLANS names, completed with GEM's own, or GEM's own."""

from pathlib import Path

from gem_tasks.errors import UserError
from gem_tasks.plans import Menus, MenusError, parse_menus, shipped
from gem_tasks.settings import Settings


def load_menus(settings: Settings) -> Menus:
    """The menus from which plans are drawn.

    Raises:
        UserError: the file of GEM_PLANS cannot be read or holds no menus.
    """
    return read_menus(settings.plans, "GEM_PLANS: ") if settings.plans else shipped()


def read_menus(path: Path, about: str = "") -> Menus:
    """Menus from a file.

    Args:
        path: the file.
        about: what to put before the fault, such as the setting that names the file.

    Raises:
        UserError: it cannot be read or holds no menus.
    """
    try:
        return parse_menus(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"byte {error.start} is not UTF-8"
        raise UserError(f"{about}{path} cannot be read: {why}", "Correct the path or the file.") from None
    except MenusError as error:
        raise UserError(f"{about}{path}: {error}", "`gem plans show` prints menus that work.") from None
