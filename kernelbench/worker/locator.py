"""Where Numba keeps a function's machine code: by the names of its file and folder, not by where they lie."""

from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator


class PlacelessLocator(UserProvidedCacheLocator):  # type: ignore[misc]  # Numba has no types
    """The same sources checked out twice share their code; that they are the same the cache folder's name says."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """The folder's name alone."""
        return Path(py_file).resolve().parent.name
