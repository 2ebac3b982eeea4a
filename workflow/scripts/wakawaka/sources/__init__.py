"""The readers: each turns one file format into a parsed source."""
