"""What every package uses: errors, logging, progress, files, tables, and the digest of the code."""
