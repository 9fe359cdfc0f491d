"""The gate policy in force: the file that GEM_GATES names, or the default policy."""

from importlib.resources import files

from gem_tasks.domain.gate import Policy
from gem_tasks.errors import UserError
from gem_tasks.gates import parse_policy
from gem_tasks.settings import Settings


def policy(settings: Settings) -> Policy:
    """The bounds in force: those of GEM_GATES, or the default ones.

    Raises:
        UserError: the file cannot be read or is not a policy.
    """
    if settings.gates is None:
        return parse_policy(files("gem_tasks.gates").joinpath("gates.toml").read_text(encoding="utf-8"), "gates.toml")
    try:
        return parse_policy(settings.gates.read_text(encoding="utf-8"), str(settings.gates))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"GEM_GATES: {settings.gates} cannot be read ({error})", "Correct the path.") from None
