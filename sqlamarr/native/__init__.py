"""The Python side of the native library in ``src/``: loading it, columns, random numbers, the truth graph."""
