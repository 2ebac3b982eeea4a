"""Tables as Parquet. A module of its own, because few of the steps that write tables have Polars in their environment."""

import pandas as pd
import polars as pl
from pandas.api.types import is_numeric_dtype

from wakawaka.core.files import PathLike, atomic


def write_parquet(table: pd.DataFrame, path: PathLike) -> None:
    """Write a pandas table as Parquet, atomically: numbers in their own type, all else as text, undefined values as null.

    Equal tables give equal bytes.
    """
    columns = [
        pl.Series(name, column.to_numpy(), nan_to_null=True)
        if is_numeric_dtype(column)
        else pl.Series(name, column.astype(object).where(column.notna(), None).tolist(), dtype=pl.String)
        for name, column in table.items()
    ]
    with atomic(path) as temporary:
        pl.DataFrame(columns).write_parquet(temporary)
