"""Events: their ids, where they come from, and the chunks in which they are sent to workers."""
