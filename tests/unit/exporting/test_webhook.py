"""A webhook gets batches, each row once; what it does not take comes again, and nothing is lost."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orchestration.stores.deliveries import DeliveryStore
from orchestration.tasks.exporting.destinations import webhook
from orchestration.tasks.exporting.errors import DestinationError

Answer = Callable[[int, dict], tuple[int, dict, bytes]]


class Receiver:
    """What a webhook was sent, and what it kept: rows it answered for, by their keys."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/hook-s3cret"
        self.posts: list[tuple[dict, dict]] = []
        self.answer: Answer = lambda _number, _body: (200, {}, b"")

    @property
    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"].rpartition("-")[2] for headers, _ in self.posts]


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "PAUSE_SECONDS", 0)
    monkeypatch.setenv("CRM_TOKEN", "hunter2")
    with serving() as receiver:
        monkeypatch.setenv("CRM_HOOK", receiver.address)
        yield receiver


@contextmanager
def serving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            here.posts.append((dict(self.headers), body))
            code, headers, content = here.answer(len(here.posts), body)
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Receiver(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()


PLACE = {"webhook": "$CRM_HOOK", "headers": {"Authorization": "Bearer $CRM_TOKEN"}, "batch": 4}


def ids(posts) -> list[str]:
    return [row["user_id"] for _, body in posts for row in body["rows"]]


def test_rows_come_in_batches_with_keys_and_credentials(world, receiver):
    world.publish(range(10))
    sent = world.deliver(world.export(destination=PLACE)).manifests[0]
    assert [len(body["rows"]) for _, body in receiver.posts] == [4, 4, 2]
    assert receiver.posts[0][0]["Idempotency-Key"] == f"loyal-{sent['id']}-0"
    assert receiver.posts[0][0]["Authorization"] == "Bearer hunter2"
    assert receiver.posts[0][1]["rows"][0] == {"change": "added", "user_id": "0", "region": "North"}
    assert ids(receiver.posts) == list("0123456789")
    kept = [file.read_bytes() for file in (world.root / "deliveries").rglob("*") if file.is_file()]
    assert not any(b"hunter2" in content or b"s3cret" in content for content in kept)


def test_what_it_takes_of_half_a_batch_is_not_sent_again(world, receiver):
    receiver.answer = lambda number, _: (200, {}, b'{"accepted": 1}' if number == 2 else b"{}")
    world.publish(range(10))
    world.deliver(world.export(destination=PLACE))
    assert receiver.keys == ["0", "4", "5", "9"]
    assert ids(receiver.posts[:1]) + ids(receiver.posts[1:2])[:1] + ids(receiver.posts[2:]) == list(
        "0123456789"
    )


@pytest.mark.parametrize(
    ("code", "posts", "says"),
    [
        (503, 4, "it answered 503"),
        (429, 4, "it is asked too often"),
        (507, 1, "it is full"),
        (401, 1, "it refused the credentials"),
        (302, 1, "it answered 302"),
    ],
)
def test_one_that_refuses_is_said_and_the_next_call_goes_on(world, receiver, code, posts, says):
    refuses = (code, {"Location": "/elsewhere", "Retry-After": "0"}, b"token hunter2")
    receiver.answer = lambda number, _: refuses if number > 1 else (200, {}, b"")
    world.publish(range(10))
    export = world.export(destination=PLACE)
    with pytest.raises(DestinationError) as caught:
        world.deliver(export)
    assert (
        str(caught.value)
        == f"the webhook has 4 of 10 rows: {says}. Call it again, and it goes on from there."
    )
    assert len(receiver.posts) == 1 + posts
    assert set(receiver.keys[1:]) == {"4"}, "asked again by the same key"
    receiver.answer = lambda _number, _body: (200, {}, b"")
    receiver.posts.clear()
    world.publish(range(11))
    world.deliver(export)
    assert ids(receiver.posts) == [*"456789", "10"]


@pytest.mark.parametrize(
    ("answer", "says"), [(b'{"accepted": 0}', "takes no row"), (b'{"accepted": 5}', "what it was not sent")]
)
def test_one_that_takes_nothing_or_counts_wrongly_is_not_believed(world, receiver, answer, says):
    receiver.answer = lambda _number, _body: (200, {}, answer)
    world.publish(range(4))
    with pytest.raises(DestinationError, match=says):
        world.deliver(world.export(destination=PLACE))


def test_a_kill_between_an_answer_and_its_account_sends_the_same_key_again(world, receiver, killed):
    world.publish(range(10))
    killed(DeliveryStore, "acknowledge", after=1)
    with pytest.raises(KeyboardInterrupt):
        world.deliver(world.export(destination=PLACE))
    world.deliver(world.export(destination={**PLACE, "batch": 9}))
    assert receiver.keys == ["0", "4", "4", "8"], "of the size it was begun with"
    assert receiver.posts[1][1] == receiver.posts[2][1]


def test_one_that_is_down_is_said_without_its_address(world, receiver, monkeypatch):
    monkeypatch.setenv("CRM_HOOK", "http://127.0.0.1:9/hook-s3cret")
    world.publish(range(3))
    with pytest.raises(DestinationError, match="the webhook has 0 of 3 rows: Connection refused") as caught:
        world.deliver(world.export(destination=PLACE))
    assert "s3cret" not in str(caught.value)
    monkeypatch.setenv("CRM_HOOK", receiver.address)
    world.deliver(world.export(destination=PLACE))
    assert ids(receiver.posts) == list("012")
