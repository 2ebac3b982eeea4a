"""Attributions of predictions to the inputs."""
