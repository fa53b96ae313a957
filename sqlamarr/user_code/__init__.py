"""Python code of users: found, loaded anew when it changes, and its errors reported."""
