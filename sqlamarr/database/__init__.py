"""Everything that knows SQLite: connections, working tables, access policy, declarations, page images."""
