"""The architecture of a model, drawn layer by layer from the model file."""

from typing import Any

import keras
import pandas as pd
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from wakawaka.core.files import PathLike, write_table
from wakawaka.figures.style import BLUE, GREEN, INK, MUTED, ORANGE, PINK, save, style
from wakawaka.network.ensemble import effects_of, members_of
from wakawaka.network.saved_model import load_model

# Inches: the width of a box, its height with one and with two lines of text, the width of a column, and the space below a box.
WIDTH, LOW, TALL = 3.6, 0.27, 0.46
COLUMN, GAP = 4.0, 0.22
# A part of a layer's type, and the colour of the layer's box.
KINDS = {"Input": INK, "Conv": BLUE, "Pool": GREEN, "Dense": ORANGE, "Drop": PINK}


@style()
def plot_architecture(model: PathLike, figure: PathLike, table: PathLike) -> None:
    """Draw the layers of a Keras model as boxes, from its inputs at the top to its output at the bottom.

    Args:
        model: path of a `model.keras` with a functional model of standard Keras layers, each used once. Of an ensemble, the first
            member is drawn, because all have the same layers. A note names the number of members and of gene effects.
        figure: path of the PNG to write.
        table: path of the TSV to write: layer, type, settings, output_shape (without the batch), parameters, inputs
            (comma-separated names of layers).
    """
    whole = load_model(model)
    members, effects = members_of(whole), effects_of(whole)
    layers = describe_layers(members[0])
    write_table(layers, table)
    notes = [f"mean of {len(members)} such networks"] if len(members) > 1 else []
    notes += [f"plus random effects of {len(effects.values):,} genes"] if effects else []
    save(_draw(layers, ", ".join(notes)), figure)


def describe_layers(model: keras.Model) -> pd.DataFrame:
    """Return the table of `plot_architecture`: a row per layer, after the layers of its inputs."""
    maker = {id(layer.output): layer.name for layer in model.layers}
    rows = []
    for layer in model.layers:
        is_input = isinstance(layer, keras.layers.InputLayer)
        sources = [] if is_input else layer.input if isinstance(layer.input, list) else [layer.input]
        rows.append(
            {
                "layer": layer.name,
                "type": "Input" if is_input else type(layer).__name__,
                "settings": _settings(layer),
                "output_shape": " × ".join(str(size) for size in layer.output.shape[1:]),
                "parameters": layer.count_params(),
                "inputs": ",".join(maker[id(source)] for source in sources),
            }
        )
    return pd.DataFrame(rows)


def _settings(layer: keras.Layer) -> str:
    """Return the main settings of a layer in words; a stride, padding or dilation only if it is not the default."""
    config = {
        key: value[0] if isinstance(value, tuple | list) and value else value
        for key, value in layer.get_config().items()
    }
    default_stride = config.get("pool_size", 1)
    words = [
        f"{config['filters']} filters × {config['kernel_size']}" if "filters" in config else "",
        f"pool {config['pool_size']}" if "pool_size" in config else "",
        f"{config['units']} unit{'s' * (config['units'] > 1)}" if "units" in config else "",
        f"rate {config['rate']:g}" if "rate" in config else "",
        f"slope {config['negative_slope']:g}" if config.get("negative_slope") else "",
        f"stride {config['strides']}" if config.get("strides", default_stride) != default_stride else "",
        f"dilation {config['dilation_rate']}" if config.get("dilation_rate", 1) != 1 else "",
        f"padding {config['padding']}" if config.get("padding", "valid") != "valid" else "",
        _activation(layer),
    ]
    return ", ".join(word for word in words if word)


def _activation(layer: keras.Layer) -> str:
    """Return the name of a layer's activation; an empty text for a linear one."""
    activation = getattr(layer, "activation", keras.activations.linear)
    if activation is keras.activations.linear:
        return ""
    if isinstance(activation, keras.Layer):
        slope = activation.get_config().get("negative_slope")
        return type(activation).__name__ + (f"({slope:g})" if slope else "")
    return "ReLU" if activation is keras.activations.relu else activation.__name__


def place_layers(layers: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Return the column and the row of each layer: an input starts a column, and a join is in the middle of the columns it joins."""
    places: dict[str, tuple[float, int]] = {}
    columns = 0
    for layer, inputs in zip(layers["layer"], layers["inputs"], strict=True):
        sources = [places[name] for name in inputs.split(",") if name]
        if sources:
            column, row = sum(column for column, _ in sources) / len(sources), 1 + max(row for _, row in sources)
        else:
            column, row = columns, 0
            columns += 1
        while (column, row) in places.values():
            column += 1
        places[layer] = column, row
    return places


def _draw(layers: pd.DataFrame, note: str) -> Figure:
    """Return the figure of a table of `describe_layers`, with a note below."""
    places = place_layers(layers)
    drawn: list[Any] = list(layers.itertuples())
    heights = {layer.layer: TALL if layer.parameters and layer.settings else LOW for layer in drawn}
    rows = 1 + max(row for _, row in places.values())
    steps = [GAP + max(heights[layer] for layer, place in places.items() if place[1] == row) for row in range(rows)]
    width = (1 + max(column for column, _ in places.values())) * COLUMN
    height = sum(steps) + (0.75 if note else 0.5)
    canvas = Figure(figsize=(width, height))
    # The unit of the axes is one inch, counted from the top.
    panel = canvas.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    panel.set_axis_off()
    boxes = {}
    for layer in drawn:
        column, row = places[layer.layer]
        left, top = (column + 0.5) * COLUMN - WIDTH / 2, sum(steps[:row]) + (steps[row] - heights[layer.layer]) / 2
        boxes[layer.layer] = Bbox.from_bounds(left, top, WIDTH, heights[layer.layer])
        _draw_box(panel, layer, boxes[layer.layer])
        for source in filter(None, layer.inputs.split(",")):
            _draw_arrow(panel, boxes[source], boxes[layer.layer])
    total = f"{layers['parameters'].sum():,} parameters"
    panel.text(width / 2, sum(steps) + 0.2, total, ha="center", va="center", weight="bold", fontsize=10.5)
    panel.text(width / 2, sum(steps) + 0.47, note, ha="center", va="center", fontsize=9)
    return canvas


def _draw_box(panel: Any, layer: Any, box: Bbox) -> None:
    """Draw a box with type, output shape and parameters in the first line and settings in the second.

    Without parameters or settings there is one line.
    """
    colour = next((colour for kind, colour in KINDS.items() if kind in layer.type), MUTED)
    edge: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.06", "edgecolor": colour, "linewidth": 1}
    panel.add_patch(FancyBboxPatch(box.p0, box.width, box.height, facecolor=to_rgba(colour, 0.18), **edge))
    left, right, line = box.x0 + 0.1, box.x1 - 0.1, box.y0 + LOW / 2
    name = panel.text(left, line, layer.type, weight="bold", va="center", fontsize=8.5)
    shape = f"  → {layer.output_shape}" if layer.inputs else f"  {layer.output_shape}"
    panel.annotate(shape, (1, 0.5), xycoords=name, va="center", fontsize=8)
    parameters = f"{layer.parameters:,} parameters" if layer.parameters else ""
    panel.text(right, line, parameters or layer.settings or layer.layer, ha="right", va="center", fontsize=8)
    if parameters:
        panel.text(left, box.y1 - LOW / 2, layer.settings, va="center", fontsize=8)


def _draw_arrow(panel: Any, source: Bbox, target: Bbox) -> None:
    """Draw an arrow from box to box: down and across to the target, or around the boxes between them."""
    x0, x1 = source.x0 + WIDTH / 2, target.x0 + WIDTH / 2
    if x0 == x1 and target.y0 - source.y1 > 2 * GAP:
        start, end, side = (source.y0 + source.y1) / 2, (target.y0 + target.y1) / 2, source.x1 + 0.12
        corners = [(source.x1, start), (side, start), (side, end), (target.x1, end)]
    else:
        bend = target.y0 - GAP / 2
        corners = [(x0, source.y1), (x0, bend), (x1, bend), (x1, target.y0)]
    look: dict[str, Any] = {
        "arrowstyle": "-|>",
        "mutation_scale": 8,
        "color": MUTED,
        "linewidth": 1,
        "joinstyle": "miter",
    }
    panel.add_patch(FancyArrowPatch(path=Path(corners), **look, fill=True))
