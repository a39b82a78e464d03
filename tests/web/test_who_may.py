"""Django's permissions decide what is shown and what is done."""

from __future__ import annotations

import pytest
from django.test import Client

from dags_app.models import Dag
from runs_app.models import DagRun
from skytrail.security import tokens
from skytrail.security.models import ApiToken
from tests.factories import save_dag, start_run
from tests.web.conftest import logged_in, staff
from tests.web.forms import fields_of, new_dag

pytestmark = pytest.mark.django_db


def test_a_viewer_sees_a_dag_and_saves_nothing(viewer: Client) -> None:
    dag = save_dag({"a": []})
    page = f"/admin/dags_app/dag/{dag.pk}/change/"

    shown = viewer.get(page).content.decode()
    assert '<fieldset class="sky-plain" disabled>' in shown
    assert "_save" not in shown
    for path, data in {
        page: {"description": "mine"},
        "/admin/dags_app/dag/add/": new_dag({"id": "a"}, name="other"),
        f"/admin/dags_app/dag/{dag.pk}/pause/": {},
        f"/admin/dags_app/dag/{dag.pk}/delete/": {"post": "yes"},
        "/admin/runs_app/dagrun/trigger/?dag=story": {},
    }.items():
        assert viewer.post(path, data).status_code == 403
    dag.refresh_from_db()
    assert (Dag.objects.count(), dag.description, dag.paused) == (1, "", False)
    assert not DagRun.objects.exists()


def test_a_viewer_stops_no_run(viewer: Client) -> None:
    run = start_run(save_dag({"a": []}))
    a = run.task_runs.get()

    for path in (
        f"dagrun/{run.pk}/cancel",
        f"dagrun/{run.pk}/clear",
        f"dagrun/{run.pk}/repeat",
        f"taskrun/{a.pk}/cancel",
    ):
        assert viewer.post(f"/admin/runs_app/{path}/").status_code == 403
    run.refresh_from_db()
    assert run.state == "running"


def test_actions_are_offered_to_those_who_may(viewer: Client) -> None:
    save_dag({"a": []})
    keeper = logged_in(staff("keith", "dags_app.view_dag", "dags_app.change_dag"))

    assert "pause_selected" not in viewer.get("/admin/dags_app/dag/").content.decode()
    offered = keeper.get("/admin/dags_app/dag/").content.decode()
    assert "pause_selected" in offered
    assert "trigger_selected" not in offered


def test_who_may_not_see_dags_sees_nothing_of_them(db: None) -> None:
    run = start_run(save_dag({"a": []}))
    stranger = logged_in(staff("steve"))

    for path in (
        "dags_app/dag/", f"dags_app/dag/{run.dag_id}/change/", "dags_app/dag/overview/",
        "dags_app/dagversion/", "dags_app/dagimporterror/", "runs_app/dagrun/",
        f"runs_app/dagrun/{run.pk}/change/",
        "runs_app/dagrun/recent/", "runs_app/taskrun/", "runs_app/attempt/",
        "runs_app/transition/", "runs_app/pool/", "runs_app/worker/",
    ):  # fmt: skip
        assert stranger.get(f"/admin/{path}").status_code == 403, path
    assert stranger.get("/admin/runs_app/dagrun/trigger/?dag=story").status_code == 404
    index = stranger.get("/admin/").content.decode()
    assert "may not see anything here yet" in index
    assert "hx-get" not in index.partition("content-main")[2]


def test_who_may_change_but_not_see_may_do_neither(db: None) -> None:
    dag = save_dag({"a": []})
    blind = logged_in(staff("ben", "dags_app.change_dag"))

    assert blind.get(f"/admin/dags_app/dag/{dag.pk}/change/").status_code == 403
    assert blind.post(f"/admin/dags_app/dag/{dag.pk}/change/", {}).status_code == 403


def test_the_admin_is_for_staff(db: None) -> None:
    assert Client().get("/admin/dags_app/dag/").status_code == 302


def test_a_token_is_shown_once_and_works(root: Client) -> None:
    add = "/admin/skytrail_security/apitoken/add/"
    answer = root.post(
        add, fields_of(root, add, form="apitoken_form") | {"hours": "2"}, follow=True
    )

    (message, *_) = [str(m) for m in answer.context["messages"] if tokens.PREFIX in str(m)]
    text = message.split()[-1]
    assert tokens.find(text) == ApiToken.objects.get()
    listed = root.get("/admin/skytrail_security/apitoken/").content.decode()
    assert text not in listed
    assert root.get(f"/admin/skytrail_security/apitoken/{ApiToken.objects.get().pk}/change/")


@pytest.mark.parametrize(
    "model",
    ["periodictask", "intervalschedule", "crontabschedule", "solarschedule", "clockedschedule"],
)
def test_beats_models_are_there_in_the_same_look(root: Client, model: str) -> None:
    for page in ("", "add/"):
        shown = root.get(f"/admin/django_celery_beat/{model}/{page}")
        assert shown.status_code == 200
        assert "skytrail/admin.css" in shown.content.decode()


def test_a_periodic_task_is_made_by_hand(root: Client) -> None:
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    every, _ = IntervalSchedule.objects.get_or_create(every=77, period=IntervalSchedule.SECONDS)
    page = "/admin/django_celery_beat/periodictask/add/"
    fields = fields_of(root, page, form="periodictask_form")

    answer = root.post(page, fields | {"name": "mine", "task": "x.y", "interval": every.pk})

    assert answer.status_code == 302
    made = PeriodicTask.objects.get(name="mine")
    assert root.get(f"/admin/django_celery_beat/periodictask/{made.pk}/change/").status_code == 200
    page = f"/admin/django_celery_beat/intervalschedule/{every.pk}/change/"
    assert "mine" in root.get(page).content.decode()


@pytest.mark.parametrize("model", ["user", "group"])
def test_users_and_groups_are_there(root: Client, model: str) -> None:
    for page in ("", "add/"):
        assert root.get(f"/admin/auth/{model}/{page}").status_code == 200
