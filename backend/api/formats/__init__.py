"""Reports from apps that do not speak Lull's own format: each module reads one of theirs, and leaves out the rest.

Reading is pure: what was sent becomes fixes, or errors that name fields and never what was in them.
"""
