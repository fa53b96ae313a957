"""The files of models."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from sqlamarr.errors import ModelError
from sqlamarr.models.download import download
from sqlamarr.models.libraries import LIBRARIES

URL = re.compile(r"^[a-z][a-z0-9+.-]*://")
#: The field of that name (13), its length, and in it the key "location"; then comes the file's name with its length.
_LENGTH = rb"(?:[\x01-\x7f]|[\x80-\xff][\x01-\x7f])"
_EXTERNAL = re.compile(rb"j" + _LENGTH + rb"\n\x08location\x12(" + _LENGTH + rb")", re.DOTALL)
SHIPPED = "plugins:"  # prefix of the name of a library of this package or of an installed one


def locate(source: str, folder: Path, expected: str | None = None) -> Path:
    """Find the file of a model as a pipeline names it.

    :param source: ``plugins:NAME`` for a library of this package or an installed one, a URL, or a path
    :param folder: folder that a relative path starts from
    :param expected: SHA-256 that the file must have, as hexadecimal digits
    :raises ModelError: there is no such file, or its checksum differs
    """
    if URL.match(source):
        if expected is None:
            raise ModelError(f"{source} is a download and needs a sha256, because its content is run as code.")
        return download(source, expected)
    path = LIBRARIES.get(source.removeprefix(SHIPPED)) if source.startswith(SHIPPED) else _local(source, folder)
    if expected and (found := sha256(path)) != expected:
        raise ModelError(f"Model file {path}: expected sha256 {expected}, found {found}. Is it the right file?")
    return path


def _local(source: str, folder: Path) -> Path:
    # Absolute, because the loader searches the system's folders for a bare name.
    path = (folder / Path(source).expanduser()).absolute()
    if path.is_dir():
        raise ModelError(f"{path} is a folder; expected the file of a model.")
    if not path.is_file():
        raise ModelError(f"The model file {path} does not exist.")
    return path


def external_files(path: Path) -> list[str]:
    """Return the names of the files beside an ONNX file that hold its weights (``external_data`` of TensorProto).

    They are found in the bytes, so that no package is needed to list the files of a model.
    """
    content = path.read_bytes()
    names = {content[found.end() : found.end() + _length(found[1])] for found in _EXTERNAL.finditer(content)}
    return sorted(name.decode(errors="replace") for name in names)


def _length(varint: bytes) -> int:
    return varint[0] if len(varint) == 1 else (varint[0] & 0x7F) | varint[1] << 7


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
