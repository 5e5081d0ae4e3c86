"""The storage engine on SQLite, through apsw: one process or several on one file."""
