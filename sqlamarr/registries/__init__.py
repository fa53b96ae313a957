"""What can be added without editing anything: entries by name, ours, of installed packages, of the running program."""
