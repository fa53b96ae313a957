"""Models given by URL: downloaded once into the user's cache, and kept only if their checksum is right."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlamarr.errors import ModelError, missing_package

CACHE = "SQLAMARR_CACHE"  # environment variable with the folder for downloads


def cache_folder() -> Path:
    """Return the folder for downloads: ``$SQLAMARR_CACHE``, else a folder in the user's cache directory."""
    if chosen := os.environ.get(CACHE):
        return Path(chosen).expanduser().absolute()
    return Path(_pooch().os_cache("sqlamarr"))


def download(url: str, expected: str) -> Path:
    """Return the file at a URL, from the cache if it is there.

    :param url: ``http://`` or ``https://``
    :param expected: its SHA-256, as hexadecimal digits
    :returns: its path in the cache; the name begins with the checksum, so that versions can exist side by side
    :raises ModelError: it cannot be downloaded, or its checksum differs, in which case nothing is kept
    """
    if not url.startswith(("http://", "https://")):
        raise ModelError(f"{url}: models can only be downloaded by http or https.")
    pooch, folder = _pooch(), cache_folder()
    name = f"{expected[:16]}-{Path(urlsplit(url).path).name or 'model'}"
    try:
        downloader = pooch.HTTPDownloader(timeout=60)
        return Path(pooch.retrieve(url, f"sha256:{expected}", name, folder, downloader=downloader))
    except OSError as error:  # requests' exceptions are OSErrors too
        raise ModelError(
            f"Cannot fetch {url} ({error}). Where there is a network, 'sqlamarr fetch PIPELINE' downloads it to "
            f"{folder}. Set the environment variable {CACHE} to use another folder, e.g. a shared one."
        ) from error
    except ValueError as error:
        raise ModelError(f"{url} is not the file that the pipeline expects, and was deleted. {error}") from error


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise missing_package("A model given by URL", "pooch", "fetch") from error
    return pooch
