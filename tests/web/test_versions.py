"""Versions in the admin: what they change, and going back to one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dags_app.models import Dag
from tests.factories import save_dag

pytestmark = pytest.mark.usefixtures("committing")


@pytest.fixture
def story(committing: None) -> Dag:
    save_dag({"a": []})
    return save_dag({"a": [], "b": ["a"]})


def _client(user: User) -> Client:
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


def _page(dag: Dag, number: int) -> str:
    return reverse("admin:dags_app_dagversion_change", args=[dag.versions.get(number=number).pk])


def _text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_page_says_what_changed_and_what_going_back_would(story: Dag, alice: User) -> None:
    client = _client(alice)
    newest = _text(client, _page(story, 2))
    assert "holds now" in newest
    assert "+ a → b" in newest
    assert "Roll back" not in newest
    first = _text(client, _page(story, 1))
    assert "Roll back to version 1" in first
    assert "- a → b" in first


def test_rolling_back_makes_a_version_of_its_own(story: Dag, alice: User) -> None:
    client = _client(alice)
    first = story.versions.get(number=1)
    address = reverse("admin:dags_app_dagversion_rollback", args=[first.pk])
    assert client.get(address).status_code == 405
    answer = client.post(address, follow=True)
    assert "see version 3" in answer.content.decode()
    story.refresh_from_db()
    assert story.version is not None
    assert (story.version.number, story.version.author) == (3, "user:alice")


def test_who_may_only_look_is_not_offered_it(story: Dag, bob: User) -> None:
    client = _client(bob)
    assert "Roll back" not in _text(client, _page(story, 1))
    first = story.versions.get(number=1)
    address = reverse("admin:dags_app_dagversion_rollback", args=[first.pk])
    assert client.post(address).status_code == 403
    assert story.versions.count() == 2
