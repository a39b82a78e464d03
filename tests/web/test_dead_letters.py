"""Dead letters in the admin: the list, the buttons, and who may press them."""

from __future__ import annotations

import pytest
from django.test import Client

from dags_app.actions import deletion
from runs_app.actions.cancellation import cancel_run
from runs_app.models import DeadLetter, TaskRun, Transition
from tests.actions.test_cancelling import claimed
from tests.dead_letters import dead_letter, kill, listed
from tests.factories import save_dag, start_run, states
from tests.web.conftest import logged_in, staff

pytestmark = pytest.mark.django_db

LIST = "/admin/runs_app/deadletter/"


def page(letter: DeadLetter) -> str:
    """The page of the task run that it is."""
    return f"/admin/runs_app/taskrun/{letter.pk}/change/"


def test_the_list_says_what_went_wrong_and_leads_to_the_task(viewer: Client) -> None:
    letter = dead_letter(reason="worker_lost", message="no <such> worker")
    shown = viewer.get(LIST).content.decode()
    for text in (
        "extract",
        "first",
        "worker lost",
        "no &lt;such&gt; worker",
        "1 of 1",
        page(letter),
    ):
        assert text in shown
    assert "replay_selected" not in shown, "who may only look is offered nothing else"


def test_where_there_are_none_the_list_is_empty(viewer: Client) -> None:
    start_run(save_dag({"a": []}, name="story"), run_id="first")
    assert ">first<" not in viewer.get(LIST).content.decode()


def test_letters_are_found_by_reason_dag_queue_time_and_text(viewer: Client) -> None:
    one = dead_letter("one", run_id="run-of-one", reason="timeout")
    dead_letter("two", run_id="run-of-two")
    for question in (
        "reason=timeout", f"dag__id__exact={one.dag_id}", "q=run-of-one",
        "reason=timeout&queue__icontains=def",
        "finished_at__lt=2001-01-01T00:00:00Z",
    ):  # fmt: skip
        shown = viewer.get(f"{LIST}?{question}").content.decode()
        assert ">run-of-two<" not in shown, question
        assert (">run-of-one<" in shown) is not question.startswith("finished"), question


def test_a_letter_has_no_other_page_than_its_task_run(viewer: Client) -> None:
    letter = dead_letter()
    answer = viewer.get(f"{LIST}{letter.pk}/change/")
    assert (answer.status_code, answer.headers["Location"]) == (302, page(letter))
    waits = start_run(save_dag({"a": []}, name="other")).task_runs.get()
    assert viewer.get(f"{LIST}{waits.pk}/change/").status_code == 403
    assert viewer.post(f"{LIST}{letter.pk}/change/").status_code == 403
    for end in ("add/", f"{letter.pk}/delete/"):
        assert viewer.get(f"{LIST}{end}").status_code == 403


# ---------------------------------------------------------------- the list's actions


def test_selected_letters_are_replayed_and_those_that_cannot_be_are_named(editor: Client) -> None:
    one = dead_letter("one")
    run = start_run(save_dag({"dead": [], "busy": []}, name="dying"), run_id="first")
    stuck = kill(run, "dead")
    claimed(run, "busy")
    cancel_run(run, actor="user:alice")
    sent = {"action": "replay_selected", "_selected_action": [str(one.pk), str(stuck.pk)]}
    said = editor.post(LIST, sent, follow=True).content.decode()
    assert "Dead letters replayed: 1; tasks that run again: 2." in said
    assert "Passed over dying, first, dead: The run &#x27;first&#x27; is being cancelled" in said
    assert listed() == ["dying first dead"]


def test_all_letters_of_a_filter_are_dropped(editor: Client) -> None:
    letters = [dead_letter(name, reason=reason) for name, reason in (("a", "x"), ("b", "y"))]
    sent = {
        "action": "drop_selected",
        "_selected_action": [str(letters[0].pk)],
        "select_across": "1",
    }
    said = editor.post(f"{LIST}?reason=x", sent, follow=True).content.decode()
    assert "Dead letters dropped: 1." in said
    assert listed() == ["b first extract"]
    assert Transition.objects.get(reason="dead letter dropped").actor == "user:edith"


# ---------------------------------------------------------------- the buttons


def test_the_page_of_a_task_run_says_that_it_is_one_and_has_the_buttons(editor: Client) -> None:
    letter = dead_letter()
    shown = editor.get(page(letter)).content.decode()
    assert ">dead letter</a>" in shown
    assert f"{LIST}{letter.pk}/replay/" in shown
    said = editor.post(f"{LIST}{letter.pk}/replay/", follow=True).content.decode()
    assert "tasks that run again: 2" in said
    assert ">dead letter</a>" not in said
    assert states(letter.run)["extract"] == "waiting"


def test_the_page_of_a_task_run_says_when_it_was_dropped(editor: Client) -> None:
    letter = dead_letter()
    said = editor.post(f"{LIST}{letter.pk}/drop/", follow=True).content.decode()
    assert "the task stays failed" in said
    assert "Dropped from the dead letters</dt>" in said
    assert "dead letter dropped" in said, "in its history"
    assert ">dead letter</a>" not in said
    assert "Run again, with what follows" in said


def test_who_was_not_quick_enough_is_told_so(editor: Client) -> None:
    letter = dead_letter()
    editor.post(f"{LIST}{letter.pk}/drop/")
    for verb in ("drop", "replay"):
        said = editor.post(f"{LIST}{letter.pk}/{verb}/", follow=True).content.decode()
        assert "has been replayed or dropped" in said


def test_of_a_deleted_dag_they_can_only_be_dropped(editor: Client) -> None:
    letter = dead_letter()
    deletion.delete(letter.dag)
    shown = editor.get(page(letter)).content.decode()
    assert "/replay/" not in shown
    said = editor.post(f"{LIST}{letter.pk}/replay/", follow=True).content.decode()
    assert "can be dropped, but not replayed" in said
    editor.post(f"{LIST}{letter.pk}/drop/")
    assert listed() == []


def test_who_may_only_look_changes_nothing(viewer: Client) -> None:
    letter = dead_letter()
    shown = viewer.get(page(letter)).content.decode()
    assert ">dead letter</a>" in shown
    assert f"{LIST}{letter.pk}/" not in shown
    for verb in ("drop", "replay"):
        assert viewer.post(f"{LIST}{letter.pk}/{verb}/").status_code == 403
        sent = {"action": f"{verb}_selected", "_selected_action": [str(letter.pk)]}
        viewer.post(LIST, sent)
    assert listed() == ["story first extract"]


def test_buttons_need_a_form_of_ours(editor: Client) -> None:
    letter = dead_letter()
    for verb in ("drop", "replay"):
        assert editor.get(f"{LIST}{letter.pk}/{verb}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = editor.cookies
    assert strict.post(f"{LIST}{letter.pk}/drop/").status_code == 403
    assert TaskRun.objects.get(pk=letter.pk).dropped_at is None


def test_who_may_not_see_dags_sees_no_letters(db: None) -> None:
    letter = dead_letter()
    stranger = logged_in(staff("steve"))
    assert stranger.get(LIST).status_code == 403
    assert stranger.post(f"{LIST}{letter.pk}/drop/").status_code == 403
    assert "Dead letters" not in stranger.get("/admin/").content.decode()


def test_the_first_page_says_how_many_there_are(viewer: Client) -> None:
    recent = "/admin/runs_app/dagrun/recent/"
    assert "dead letter" not in viewer.get(recent).content.decode()
    dead_letter("one")
    assert (
        "1 dead letter</a>: a task that has used up its tries"
        in viewer.get(recent).content.decode()
    )
    dead_letter("two")
    assert "2 dead letters</a>: tasks that have" in viewer.get(recent).content.decode()
    assert "dead letter" not in viewer.get(f"{recent}?dag=one").content.decode()
