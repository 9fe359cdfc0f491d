"""Files that are ZIP archives of XML (DOCX, PPTX, XLSX, EPUB): opened within bounds, parsed without entities.

Nothing outside the archive is ever opened: relations to other places are not followed, macros are not read.
"""

import posixpath
import zipfile
import zlib
from typing import IO, Any, cast
from urllib.parse import unquote

from lxml import etree as _untyped_etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from gem_tasks.corpus.documents.placed import ConversionError
from gem_tasks.domain.corpus import IngestReason

etree = cast("Any", _untyped_etree)

_MOST_ENTRIES = 20_000
_MOST_BYTES = 1 << 30
"""All parts, unpacked. Pictures make up most of it and are never unpacked."""
_MOST_PART = 64 << 20
_MOST_RATIO = 1000
"""Of a part over a megabyte. XML of a table with the same words in every row has a tenth of it."""
_LARGE = 1 << 20
_ENCRYPTED = 0x1
_PARSER = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class Package:
    """An open archive.

    Raises:
        ConversionError: it is damaged, encrypted, or a bomb.
    """

    def __init__(self, stored: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(stored)
        except _ZIP_ERRORS as error:
            raise _broken(f"its archive is damaged ({error})") from error
        entries = self._zip.infolist()
        if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
            raise _bomb(f"its archive has {len(entries)} entries of together more than is allowed")
        for entry in entries:
            if entry.file_size > _LARGE and entry.file_size > _MOST_RATIO * entry.compress_size:
                raise _bomb(f"{entry.filename[:80]} in it unpacks to {entry.file_size} bytes")
        self._names = {entry.filename: entry for entry in entries}

    def begins(self, prefix: str) -> bool:
        """Whether a part's name begins like this."""
        return any(name.startswith(prefix) for name in self._names)

    def has(self, name: str) -> bool:
        """Whether there is a part of this name."""
        return name in self._names

    def read(self, name: str) -> bytes:
        """A part's bytes. Raises ConversionError if it is missing, damaged, encrypted or too large."""
        entry = self._names.get(name)
        if entry is None:
            raise _broken(f"it has no part {name[:80]}")
        if entry.flag_bits & _ENCRYPTED:
            raise ConversionError(IngestReason.ENCRYPTED, "its archive needs a password")
        if entry.file_size > _MOST_PART:
            raise _bomb(f"{name[:80]} in it unpacks to {entry.file_size} bytes")
        try:
            return self._zip.read(entry)
        except _ZIP_ERRORS as error:
            raise _broken(f"{name[:80]} in it is damaged ({error})") from error

    def xml(self, name: str) -> Any:
        """A part's root element. Raises ConversionError also if it is not XML, or declares entities."""
        data = self.read(name)
        if b"<!ENTITY" in data:
            raise _broken(f"{name[:80]} in it declares entities")
        try:
            return etree.fromstring(data, etree.XMLParser(remove_comments=True, remove_pis=True, **_PARSER))
        except etree.XMLSyntaxError as error:
            raise _broken(f"{name[:80]} in it is not XML ({str(error)[:100]})") from error

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """`(kind, part)` by id of the relations of a part; those to places outside the file are left out."""
        folder, file = posixpath.split(name)
        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        if not self.has(relations):
            return {}
        return {
            each.get("Id", ""): (each.get("Type", "").rpartition("/")[2], inside(folder, each.get("Target", "")))
            for each in self.xml(relations).iter(_RELATION)
            if each.get("TargetMode") != "External"
        }

    def main(self, otherwise: str) -> str:
        """The part that the archive names as its document."""
        kinds = {kind: part for kind, part in self.related("").values()}
        return kinds.get("officeDocument", otherwise)


def inside(folder: str, target: str) -> str:
    """A part's name from a reference in a part of `folder`."""
    target = unquote(target.partition("#")[0])
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def local(element: Any) -> str:
    """An element's name without its namespace; empty for an entity."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _broken(detail: str) -> ConversionError:
    return ConversionError(IngestReason.UNREADABLE, detail)


def _bomb(detail: str) -> ConversionError:
    return ConversionError(IngestReason.TOO_EXPENSIVE, detail)
