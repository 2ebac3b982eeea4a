import numpy as np
import pandas as pd
import polars as pl

from wakawaka.core.parquet import write_parquet


def test_parquet_of_every_kind_of_column(tmp_path):
    table = pd.DataFrame(
        {"name": ["a", None, "1"], "small": np.array([1.5, np.nan, 3], np.float32), "count": [1, 2, 3]}
    )
    write_parquet(table, tmp_path / "x.parquet")
    found = pl.read_parquet(tmp_path / "x.parquet")
    assert found.schema == {"name": pl.String, "small": pl.Float32, "count": pl.Int64}
    assert found.rows() == [("a", 1.5, 1), (None, None, 2), ("1", 3.0, 3)]
