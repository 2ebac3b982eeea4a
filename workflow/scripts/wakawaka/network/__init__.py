"""The network: its layers, its inputs, its saved form, and fast prediction."""
