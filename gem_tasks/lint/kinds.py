"""The kinds of faults in a row's format. The checks cover the content of a conversation."""

from enum import StrEnum
from typing import NamedTuple


class FormKind(StrEnum):
    """Kinds of findings of the check `format`."""

    # The row contains no readable conversation: errors.
    UNREADABLE_FILE = "unreadable_file"
    """The file cannot be read further."""
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    NO_JSON = "no_json"
    NO_OBJECT = "no_object"
    UNKNOWN_COLUMNS = "unknown_columns"
    UNREADABLE_TURN = "unreadable_turn"
    UNREADABLE_TOOLS = "unreadable_tools"
    UNREADABLE_EXTRACTION = "unreadable_extraction"
    TOO_DEEP = "too_deep"

    # The row is still read, and each translation is reported: warnings.
    REUSED_CALL_ID = "reused_call_id"
    TOOL_NAME = "tool_name"
    """A name that the Chat Completions API does not accept."""
    NO_DESCRIPTION = "no_description"
    FLAT_PARAMETERS = "flat_parameters"
    """A list of names instead of a JSON Schema."""
    BOOLEAN_REQUIRED = "boolean_required"
    """`required` as a boolean in the property."""
    FOREIGN_TYPE = "foreign_type"
    """A type that JSON Schema does not have."""


class FormFault(NamedTuple):
    """One fault of a kind, found in a row."""

    kind: FormKind
    detail: str
