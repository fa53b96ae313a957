"""The kinds of models, one file each; the file's name is the key in a pipeline's ``models``."""
