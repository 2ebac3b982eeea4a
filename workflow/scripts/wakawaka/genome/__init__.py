"""DNA codes, gene identifiers and the windows around transcription start sites."""
