"""Several tasks side by side, and one that waits for all of them."""

from __future__ import annotations

from skytrail.sdk import DAG, Bash

YEARS = (2012, 2013, 2014, 2015)

with DAG(
    "pattern_fan_out",
    description="The rain of four years, counted side by side and put together.",
    owner="examples",
    tags=["example", "pattern"],
):
    open_file = Bash(
        "open_file",
        command='test -s "$SKYTRAIL_PROJECT_DIR/examples/data/seattle-weather.csv"',
    )
    # The years are known while the DAG is written, so a loop will do. What is known only in a run
    # is a case for mapping.py.
    years = [
        Bash(
            f"year_{year}",
            command='grep -c "^$YEAR/.*,rain$" '
            '"$SKYTRAIL_PROJECT_DIR/examples/data/seattle-weather.csv" > "$SKYTRAIL_OUTPUT"',
            env={"YEAR": str(year)},
        )
        for year in YEARS
    ]
    add = Bash(
        "add",
        command='echo "$((Y2012 + Y2013 + Y2014 + Y2015)) days of rain"',
        env={f"Y{year}": of_year.output for year, of_year in zip(YEARS, years, strict=True)},
    )
    open_file >> years >> add
