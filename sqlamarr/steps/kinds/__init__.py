"""The kinds of steps, one file each; the file's name is the kind's name in pipelines."""
