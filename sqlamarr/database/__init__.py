"""Everything that deals with SQLite: connections, working tables, access policy, declarations, page images."""
