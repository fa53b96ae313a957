"""The kinds of sources, a file each; the file's name is the kind's name. What they need is imported when it is used."""
