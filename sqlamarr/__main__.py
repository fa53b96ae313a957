"""``python -m sqlamarr``."""

from sqlamarr.cli import main

if __name__ == "__main__":
    main()
