"""A key printed by a command such as `gcloud auth print-access-token`, for endpoints whose keys last an hour.

The command prints the key alone, or a JSON object with the key and its expiry. GEM uses a key until a minute before it
expires; without an expiry, and if it is not a JSON Web Token that states one, for `_LASTS_S`.
"""

import asyncio
import base64
import json
import time
from typing import Any, NamedTuple, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.key_source import KeyCommand
from gem_tasks.errors import UserError
from gem_tasks.llm.moments import seconds_until
from gem_tasks.redaction import know

_LIMIT_S = 60.0
_LASTS_S = 300.0
_EARLY_S = 60.0
_MOST_BYTES = 100_000
_KEYS = ("access_token", "accessToken", "token", "api_key", "apiKey", "key")
_MOMENTS = ("expires_in", "expiresIn", "expires_on", "expires_at", "expiresAt", "expiration", "Expiration")
"""Seconds, or an unambiguous time: `expiresOn` of `az` has no time zone, but `expires_on` is beside it."""


class Key(NamedTuple):
    """A key and when to ask for the next, in seconds since 1970."""

    text: str
    until: float


_known: dict[tuple[str, ...], Key] = {}
"""Keys of this process: all clients of a task share one."""


async def key_of(command: KeyCommand, refused: str | None = None) -> Key:
    """The key that the command prints, or that it printed recently.

    Args:
        command: runs without a shell.
        refused: a key that an endpoint no longer accepts.

    Raises:
        UserError: it prints no key.
    """
    known = _known.get(command.words)
    if known is None or known.text == refused or time.time() >= known.until:
        known = read_key(await _output(command), command)
        know("GEM_LLM_API_KEY_COMMAND", known.text)
        _known[command.words] = known
    return known


async def _output(command: KeyCommand) -> str:
    """The command's output; neither that nor its errors may get into a log."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        running = await asyncio.create_subprocess_exec(*command.words, stdin=nothing, stdout=pipe, stderr=nothing)
    except (OSError, ValueError) as error:
        raise _unusable(command, f"cannot be run ({type(error).__name__})") from None
    try:
        async with asyncio.timeout(_LIMIT_S):
            assert running.stdout  # noqa: S101
            output = await running.stdout.read(_MOST_BYTES)
            code = await running.wait()
    except TimeoutError:
        raise _unusable(command, f"did not finish within {_LIMIT_S:.0f} s") from None
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    if code:
        raise _unusable(command, f"ended with exit code {code}")
    return output.decode("utf-8", "replace")


def read_key(output: str, command: KeyCommand) -> Key:
    """Finds the key in a command's output.

    Raises:
        UserError: there is no key.
    """
    text, lasts_s = output.strip(), None
    if text.startswith("{"):
        found = _object(text)
        text = next((value for name in _KEYS if isinstance(value := found.get(name), str)), "")
        said = next((found[name] for name in _MOMENTS if found.get(name)), "")
        lasts_s = seconds_until(str(said))
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise _unusable(command, "printed no key")
    if lasts_s is None:
        lasts_s = _lasts_s(text)
    return Key(text, time.time() + (_LASTS_S if lasts_s is None else max(0.0, lasts_s - _EARLY_S)))


def _lasts_s(key: str) -> float | None:
    """Seconds that a JSON Web Token (RFC 7519) is valid for; None for any other key."""
    parts = key.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = _object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode())
    except ValueError:
        return None
    return seconds_until(str(claims.get("exp") or ""))


def _object(text: str) -> Json:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def _unusable(command: KeyCommand, what: str) -> UserError:
    return UserError(
        f"GEM_LLM_API_KEY_COMMAND: {command.words[0]!r} {what}",
        "Run it manually as the workers' user: it must print the key, or a JSON object with an `access_token`.",
    )
