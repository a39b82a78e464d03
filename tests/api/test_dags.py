"""Creating, showing, changing and deleting DAGs."""

from __future__ import annotations

from typing import Any

from dags_app.models import Dag, DagVersion
from tests.api.checking import CheckedClient
from tests.api.stories import problems_of, story, told
from tests.factories import document

GRAPH = {"extract": [], "load": ["extract"]}


def test_a_dag_is_created_with_its_first_version(as_alice: CheckedClient) -> None:
    sent = document(GRAPH, name="etl", cron="0 9 * * *", tags=["b", "a"], owner="data")
    answer = as_alice.post("dags", sent)
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["dag_id"] == shown["name"] == "etl"
    assert shown["cron"] == "0 9 * * *"
    assert shown["tags"] == ["a", "b"]
    assert shown["version"] == 1
    assert shown["is_active"]
    assert shown["next_run_at"] is not None
    assert as_alice.get("dags/etl").json() == shown
    assert DagVersion.objects.get(dag__dag_id="etl").author == "user:alice"


def test_a_name_that_is_taken_is_a_conflict_and_changes_nothing(as_alice: CheckedClient) -> None:
    before = story(description="the first")
    answer = as_alice.post("dags", document(GRAPH, description="another"))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "dag_exists"
    assert "PUT" in answer.json()["error"]["message"]
    before.refresh_from_db()
    assert before.description == "the first"


def test_put_replaces_the_definition_and_the_same_meaning_makes_no_version(
    as_alice: CheckedClient,
) -> None:
    story()
    changed = document(GRAPH, owner="data")
    assert as_alice.put("dags/story", changed).json()["version"] == 2
    again = as_alice.put("dags/story", changed | {"description": ""}).json()
    assert again["version"] == 2
    assert again["owner"] == "data"


def test_put_cannot_give_a_dag_another_name(as_alice: CheckedClient) -> None:
    story()
    answer = as_alice.put("dags/story", document(GRAPH, name="other"))
    assert answer.status_code == 400
    assert problems_of(answer) == {"name": "name_mismatch"}


def test_patch_changes_what_is_named_and_leaves_the_rest(as_alice: CheckedClient) -> None:
    story(owner="data", cron="0 9 * * *")
    shown = as_alice.patch("dags/story", {"schedule": "@daily"}).json()
    assert shown["cron"] == "0 0 * * *"
    assert shown["owner"] == "data"
    assert [task["id"] for task in shown["spec"]["tasks"]] == ["extract", "load"]


def test_patch_pauses_and_resumes(as_alice: CheckedClient) -> None:
    story(cron="@daily")
    paused = as_alice.patch("dags/story", {"paused": True}).json()
    assert paused["is_paused"]
    assert not paused["is_active"]
    assert paused["version"] == 1, "pausing is no change of the definition"
    assert not as_alice.patch("dags/story", {"paused": False}).json()["is_paused"]


def test_patch_with_a_problem_changes_nothing(as_alice: CheckedClient) -> None:
    story(owner="data")
    answer = as_alice.patch("dags/story", {"owner": "others", "tasks": []})
    assert answer.status_code == 400
    assert "tasks" in problems_of(answer)
    assert Dag.objects.get().owner == "data"


def test_a_deleted_dag_is_gone_and_its_name_is_free(as_alice: CheckedClient) -> None:
    story()
    assert as_alice.delete("dags/story").status_code == 204
    assert as_alice.get("dags/story").status_code == 404
    assert as_alice.get("dags").json()["results"] == []
    assert as_alice.post("dags", document(GRAPH)).status_code == 201


def test_a_dag_with_unfinished_runs_is_kept(as_alice: CheckedClient) -> None:
    told()
    answer = as_alice.delete("dags/story")
    assert answer.status_code == 409
    assert Dag.objects.present().count() == 1


def test_the_list_shows_dags_by_name_and_without_their_definitions(as_bob: CheckedClient) -> None:
    story(name="b")
    story(name="a")
    results = as_bob.get("dags").json()["results"]
    assert [dag["dag_id"] for dag in results] == ["a", "b"]
    assert all("spec" not in dag for dag in results)


def test_versions_are_kept_and_shown_with_their_definitions(as_alice: CheckedClient) -> None:
    story()
    as_alice.patch("dags/story", {"owner": "data"})
    listed = as_alice.get("dags/story/versions").json()["results"]
    assert [version["number"] for version in listed] == [2, 1]
    first = as_alice.get("dags/story/versions/1").json()
    assert "owner" not in first["spec"]
    assert as_alice.get("dags/story/versions/2").json()["spec"]["owner"] == "data"
    assert first["checksum"] != listed[0]["checksum"]


def test_the_json_schema_takes_what_the_door_takes(as_bob: CheckedClient) -> None:
    schema: dict[str, Any] = as_bob.get("schemas/dag").json()
    assert schema["properties"]["tasks"]["maxItems"] == 10_000


def test_names_in_any_script_belong_into_the_description(as_alice: CheckedClient) -> None:
    kind = "\u202eעברית 🚂 naïve"
    answer = as_alice.post("dags", document(GRAPH, name="etl", description=kind, owner=kind))
    assert answer.status_code == 201
    assert as_alice.get("dags/etl").json()["description"] == kind
    refused = as_alice.post("dags", document(GRAPH, name=kind))
    assert refused.status_code == 400
    assert "letters a–z" in refused.json()["error"]["problems"][0]["message"]
