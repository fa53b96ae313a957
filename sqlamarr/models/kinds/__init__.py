"""The kinds of models, a file each; the file's name is the key in a pipeline's ``models``."""
