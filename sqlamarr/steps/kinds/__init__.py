"""The kinds of steps, a file each; the file's name is the kind's name in pipelines."""
