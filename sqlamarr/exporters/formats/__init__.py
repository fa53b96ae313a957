"""The formats of export, a file each; the file's name is the format's name."""
