"""What the build installs: the native library, its cffi description, plugins and pipelines."""
