"""Figures drawn twice, or caught before they are saved."""

from matplotlib.image import imread


def draw(function, folder, *inputs, **settings):
    """Draw twice; return the lines of the table and the picture. The two pictures must have equal bytes, and must not be blank."""
    for name in ("once", "again"):
        function(*inputs, figure=folder / f"{name}.png", table=folder / f"{name}.tsv", **settings)
    assert (folder / "once.png").read_bytes() == (folder / "again.png").read_bytes()
    picture = imread(folder / "once.png")
    assert picture.ndim == 3 and picture.std() > 0
    return (folder / "once.tsv").read_text().splitlines(), picture


def last_figure(monkeypatch, function, folder, *inputs, **settings):
    """Return the matplotlib figure that `function` saves."""
    saved = []
    monkeypatch.setattr(f"{function.__module__}.save", lambda figure, path: saved.append(figure))
    function(*inputs, figure=folder / "x.png", table=folder / "x.tsv", **settings)
    return saved[-1]
