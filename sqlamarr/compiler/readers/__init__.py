"""Front ends of the compiler, one file each."""
