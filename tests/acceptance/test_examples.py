"""What is in `examples/`: every definition is sound, and what the main one says is true."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import psycopg
import pytest
from celery import current_app
from django.db import connection

from dags_app.domain.commands import TaskType
from dags_app.domain.parse import parse
from examples.weather import hours, inspection, opening, report, tables, workspace, years
from examples.weather.archive import damaged
from skytrail.sdk import Skip
from tests.acceptance.conftest import Installation
from workers.executors.python import load

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
DAYS = EXAMPLES / "data" / "seattle-weather.csv"
HOURS = {"Seattle": "seattle-temps.csv", "San Francisco": "sf-temps.csv"}
YEARS = (2012, 2013, 2014, 2015)


def document(name: str) -> dict[str, Any]:
    return dict(json.loads((EXAMPLES / f"{name}.json").read_text()))


# ------------------------------------------------------------------- the definitions


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.json")), ids=lambda file: file.stem)
def test_a_definition_is_sound_and_explains_itself(file: Path) -> None:
    spec = parse(json.loads(file.read_text()))
    assert spec.description
    assert spec.owner == "examples"
    assert spec.paused if spec.schedule else not spec.paused


def test_every_function_and_celery_task_that_is_named_exists() -> None:
    for file in EXAMPLES.glob("*.json"):
        for task in json.loads(file.read_text())["tasks"]:
            if path := task.get("callable"):
                load(path)  # raises where there is none
            if task.get("type") == TaskType.CELERY:
                assert task["task"] in current_app.tasks


def test_the_main_example_shows_what_it_promises() -> None:
    spec = parse(document("weather"))
    assert {task.type for task in spec.tasks} >= {
        TaskType.BASH, TaskType.PYTHON, TaskType.HTTP, TaskType.CELERY, TaskType.BRANCH,
    }  # fmt: skip


# ------------------------------------------------------- the figures, calculated in another way


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction()) / len(values)


def _months() -> dict[tuple[int, int], tuple[int, Fraction, Fraction, Fraction]]:
    """For each month: days, mean maximum, mean minimum, sum of precipitation."""
    found = defaultdict(list)
    for line in DAYS.read_text().splitlines()[1:]:
        date, rain, highest, lowest, *_ = line.split(",")
        year, month, _ = map(int, date.split("/"))
        found[year, month].append((Fraction(highest), Fraction(lowest), Fraction(rain)))
    return {
        key: (len(days), _mean([h for h, _, _ in days]), _mean([low for _, low, _ in days]),
              sum((rain for *_, rain in days), Fraction()))
        for key, days in found.items()
    }  # fmt: skip


def _hours(city: str) -> list[Fraction]:
    """The mean at each hour, in °C."""
    found: list[list[Fraction]] = [[] for _ in range(24)]
    for line in (EXAMPLES / "data" / HOURS[city]).read_text().splitlines()[1:]:
        hour = re.search(r" (\d\d):", line)
        value = re.search(r"(?:^|,)(-?\d+\.\d+)(?:,|$)", line)
        assert hour
        assert value
        found[int(hour[1])].append((Fraction(value[1]) - 32) / Fraction(9, 5))
    return [_mean(values) for values in found]


def test_a_years_months_are_those_of_the_file() -> None:
    expected = _months()
    for year in YEARS:
        for month in years.summarise(str(DAYS), year)["months"]:
            days, highest, lowest, rain = expected.pop((year, month["month"]))
            assert month["days"] == days
            assert abs(Fraction(str(month["highest"])) - highest) <= Fraction(1, 200)
            assert abs(Fraction(str(month["lowest"])) - lowest) <= Fraction(1, 200)
            assert Fraction(str(month["precipitation"])) == rain
    assert not expected


def test_measurements_are_believed_only_where_they_can_be_right(tmp_path: Path) -> None:
    assert inspection.inspect(str(DAYS)) == {"verdict": "good", "days": 1461, "problems": []}
    file = tmp_path / "days.csv"
    file.write_bytes(damaged(DAYS.read_bytes()))
    seen = inspection.inspect(str(file))
    assert seen["verdict"] == "bad"
    assert len(seen["problems"]) == 3
    aside = inspection.quarantine(str(file), seen["problems"])
    assert not file.exists()
    assert json.loads(Path(aside["reasons"]).read_text()) == seen["problems"]


# ------------------------------------------------------------------- the archive


@pytest.fixture
def archive() -> Iterator[str]:
    """An archive that is open."""
    url = str(opening.open_archive()["url"])
    yield url
    opening.close_archive(url)


def test_the_archive_is_busy_at_first_and_gone_when_it_is_closed(archive: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{archive}/SOURCE.md", timeout=5)
    with urllib.request.urlopen(f"{archive}/SOURCE.md", timeout=5) as answer:
        assert answer.read() == (EXAMPLES / "data/SOURCE.md").read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{archive}/../weather/archive.py", timeout=5)
    opening.close_archive(archive)
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"{archive}/SOURCE.md", timeout=5)


def test_an_archive_that_was_never_opened_needs_no_closing() -> None:
    with pytest.raises(Skip):
        opening.close_archive(None)


@pytest.mark.parametrize("city", HOURS)
def test_a_citys_curve_is_that_of_the_file(archive: str, city: str) -> None:
    curve = hours.daily_curve(f"{archive}/{HOURS[city]}", city)
    assert curve["readings"] == len((EXAMPLES / "data" / HOURS[city]).read_text().splitlines()[1:])
    for found, expected in zip(curve["hours"], _hours(city), strict=True):
        assert abs(Fraction(str(found)) - expected) <= Fraction(1, 200)


# ------------------------------------------------------------------- the tables and the report


@pytest.fixture
def database(django_db_setup: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The tests' database, for the example's tables, which are gone afterwards."""
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    monkeypatch.setenv("EXAMPLES_DATABASE_URL", url)
    yield url
    with psycopg.connect(url) as own:
        own.execute("DROP SCHEMA IF EXISTS example_weather CASCADE")


def _load(archive: str) -> dict[str, int]:
    return tables.load(
        [years.summarise(str(DAYS), year) for year in YEARS],
        [hours.daily_curve(f"{archive}/{file}", city) for city, file in HOURS.items()],
    )


def test_loading_twice_makes_the_same_tables(database: str, archive: str) -> None:
    assert _load(archive) == {"example_weather.months": 48, "example_weather.hours": 48}
    once = tables.read()
    assert len(once[0]) == len(once[1]) == 48
    _load(archive)
    assert tables.read() == once


def test_the_report_tells_what_the_file_says(database: str, archive: str, tmp_path: Path) -> None:
    _load(archive)
    told = report.write(str(tmp_path), "From <somewhere>.")
    months = _months()
    wettest = max(months, key=lambda key: months[key][3])
    warmest = max(months, key=lambda key: months[key][1])
    coldest = min(months, key=lambda key: months[key][2])
    assert (wettest, warmest, coldest) == ((2015, 12), (2015, 7), (2013, 1))
    assert told["wettest_month"] == f"December 2015: {float(months[wettest][3])} mm"
    assert told["warmest_month"] == f"July 2015: {float(months[warmest][1]):.2f} °C by day"
    assert told["coldest_month"] == f"January 2013: {float(months[coldest][2]):.2f} °C at night"
    page = Path(told["file"]).read_text()
    assert page == told["html"]
    assert len(json.dumps(told)) < 65_536, "it is an output too"
    assert "From &lt;somewhere&gt;." in page
    for figure in ("1,461 days", *(told[name] for name in told if name.endswith("_month"))):
        assert figure in page


def test_the_reports_charts_show_every_value(database: str, archive: str, tmp_path: Path) -> None:
    _load(archive)
    page = report.write(str(tmp_path), "")["html"]
    charts = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    names = {"svg": "http://www.w3.org/2000/svg"}
    lines = [[line.attrib["points"].split() for line in chart.findall("svg:polyline", names)]
             for chart in charts]  # fmt: skip
    assert [[len(points) for points in chart] for chart in lines] == [[48, 48], [24, 24]]
    highest = [months[1] for _, months in sorted(_months().items())]
    heights = [float(point.split(",")[1]) for point in lines[0][0]]
    assert heights.index(min(heights)) == highest.index(max(highest)), "up is warm"


# ------------------------------------------------------------------- the small ones, for real


def _states(installation: Installation, name: str, run_id: str) -> dict[str, str]:
    answer = installation.call("GET", f"dags/{name}/runs/{run_id}/tasks")
    return {task["task_id"]: task["state"] for task in answer.json()["results"]}


@pytest.fixture(scope="module")
def registered(installation: Installation) -> Installation:
    """An installation that has the examples."""
    for file in EXAMPLES.glob("*.json"):
        answer = installation.call("POST", "dags", json=json.loads(file.read_text()))
        assert answer.status_code == 201, answer.text
    return installation


def _run(installation: Installation, name: str, **conf: Any) -> str:
    run_id = installation.trigger(name, conf=conf)
    run = installation.wait_for_end(name, run_id)
    assert run["state"] == "success", _states(installation, name, run_id)
    return run_id


def test_the_retry_recovers(registered: Installation) -> None:
    run_id = _run(registered, "retry_with_backoff")
    assert registered.task("retry_with_backoff", run_id, "ask_service")["attempt"] == 3
    log = registered.log("retry_with_backoff", run_id, "use_answer")
    assert log == "the answer is 42\n"


@pytest.mark.parametrize(
    ("rows", "way", "told"),
    [(0, "nothing_to_do", False), (12, "in_one_go", False), (2500, "in_parts", True)],
)
def test_the_branch_goes_one_way(
    registered: Installation, rows: int, way: str, *, told: bool
) -> None:
    run_id = _run(registered, "branch_and_skip", rows=rows)
    states = _states(registered, "branch_and_skip", run_id)
    ways = {
        name for name in ("nothing_to_do", "in_one_go", "in_parts") if states[name] == "success"
    }
    assert ways == {way}
    assert (states["tell_someone"] == "success") is told
    assert states["finish"] == "success"


def test_parameters_have_defaults_and_limits(registered: Installation) -> None:
    name = "params_and_conf"
    lines = [line.split(",") for line in DAYS.read_text().splitlines()]
    for conf in ({}, {"month": 12, "weather": "snow"}):
        run_id = _run(registered, name, **conf)
        month, weather = conf.get("month", 7), conf.get("weather", "sun")
        days = [line[5] for line in lines[1:] if int(line[0].split("/")[1]) == month]
        sentence = (
            f"{days.count(str(weather))} of {len(days)} days in month {month} had {weather}\n"
        )
        assert registered.log(name, run_id, "say") == sentence
    refused = registered.call("POST", f"dags/{name}/runs", json={"conf": {"month": 13}})
    assert refused.status_code == 400


def test_the_scheduled_one_waits_to_be_resumed_and_looks_up_its_own_day(
    registered: Installation,
) -> None:
    shown = registered.call("GET", "dags/on_this_day").json()
    assert shown["is_paused"]
    run_id = registered.trigger("on_this_day", logical_date="2026-07-04T14:00:00Z")
    registered.wait_for_end("on_this_day", run_id)
    log = registered.log("on_this_day", run_id, "look_up").splitlines()
    expected = [line.split(",") for line in DAYS.read_text().splitlines() if "/07/04," in line]
    assert log == [f"{d}: {w}, {lo} to {hi} °C, {mm} mm" for d, mm, hi, lo, _, w in expected]
    assert len(log) == 4


def test_damaged_measurements_are_put_aside(registered: Installation) -> None:
    # A worker of its own, which knows the example's Celery tasks, for a queue of its own.
    registered.start(
        "worker", "--name=examples", "--queues=examples", "--concurrency=2",
        label="examples", SKYTRAIL_TASK_MODULES="examples.weather.hours",
    )  # fmt: skip
    weather = document("weather")
    tasks = [task | {"queue": "examples"} for task in weather["tasks"]]
    registered.save("damaged", tasks, params=weather["params"])
    run_id = _run(registered, "damaged", damaged=True)
    states = _states(registered, "damaged", run_id)
    assert states["quarantine"] == "success"
    skipped = {name for name, state in states.items() if state == "skipped"}
    assert skipped == {*(f"year_{year}" for year in YEARS), "load_tables", "report"}
    aside = registered.output("damaged", run_id, "quarantine")
    assert len(json.loads(Path(aside["reasons"]).read_text())) == 3


def test_a_runs_files_are_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYTRAIL_DATA_DIR", str(tmp_path))
    folder = workspace.make("manual__2026-01-01T00:00:00+00:00")["folder"]
    assert Path(folder).is_dir()
    assert os.path.commonpath([folder, tmp_path]) == str(tmp_path)
    assert ":" not in folder, "some systems and many tools take it for something else"
