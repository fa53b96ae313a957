"""Front ends of the compiler, a file each."""
