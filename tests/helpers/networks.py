"""A small network, as config.yaml would describe it."""


def convolution(filters, kernel_size, activation="relu", pool_size=1, **more):
    """Return one convolution of a module."""
    return {"filters": filters, "kernel_size": kernel_size, "activation": activation, "pool_size": pool_size, **more}


def small_spec(histone=None, dna=None, joint=None):
    """Return the specification of a small network of both modules, with other values of each part where some are given."""
    parts = {
        "histone": {"convolutions": [convolution(3, 3, "leaky_relu", 2)], "dropout": 0.5, "dense": [4]},
        "dna": {"convolutions": [convolution(5, 6, "relu", 8)], "dropout": 0.5, "dense": [4]},
        "joint": {"dense": [6], "dropout": 0.1},
    }
    given = {"histone": histone, "dna": dna, "joint": joint}
    return {name: part | (given[name] or {}) for name, part in parts.items()} | {"negative_slope": 0.05}


def without_dropout(spec):
    """Return a specification of the same network in which nothing is dropped."""
    return {name: {**part, "dropout": 0.0} if isinstance(part, dict) else part for name, part in spec.items()}
