"""The kinds of sources, one file each, named after the kind. What they need is imported on use."""
