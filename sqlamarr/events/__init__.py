"""What an event is: its ids, where it comes from, and the chunks in which events travel to workers."""
