"""Python code of users: finding it, reloading it when it changes, and reporting its errors."""
