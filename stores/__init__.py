"""Venues, pure: what a store is, where its fence lies, when it is open and how busy it is."""
