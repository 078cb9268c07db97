"""An address that rows are posted to in batches.

Belongs here: posting, asking again, remembering what was taken. Does not belong here: which rows.

Each post has an `Idempotency-Key` that is the same whenever the same rows come again, by which a receiver leaves out
what it has. It answers 2xx when it has taken the batch, or `{"accepted": 40}` when it has taken the first 40 rows; the
others come again in a batch of their own.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from orchestration.tasks.exporting.delivery import Delivery
from orchestration.tasks.exporting.errors import DestinationError

TIMEOUT_SECONDS, ATTEMPTS, PAUSE_SECONDS = 30, 4, 1
_LONGEST_PAUSE_SECONDS = 60
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_WORDS = {401: "it refused the credentials", 403: "it refused the credentials", 413: "the batches are too large for it",
          429: "it is asked too often", 507: "it is full"}  # fmt: skip


class _NoWayOn(urllib.request.HTTPRedirectHandler):
    """Leads nowhere: a post that is sent on becomes a question without rows, which anybody answers with 200."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Webhook:
    """A webhook.

    Parameters
    ----------
    address, headers
        Where to, and what goes with each post.
    """

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        if not address.startswith(("https://", "http://")):
            raise DestinationError("the webhook's address does not begin with https:// or http://.")
        self._address, self._headers = address, headers
        self._open = urllib.request.build_opener(_NoWayOn).open

    def last(self) -> None:
        """Return nothing: a webhook cannot be asked."""

    def send(self, delivery: Delivery) -> Mapping[str, Any]:
        """Post all batches that were not taken yet, in their order."""
        taken, size, total = delivery.acknowledged, delivery.manifest["batch"], len(delivery.rows)
        facts = {name: delivery.manifest[name] for name in ("export", "id", "kind", "before")}
        refusals = 0
        while taken < total:
            rows = delivery.rows.slice(taken, size)
            key = f"{facts['export']}-{facts['id']}-{taken}"
            body = {**facts, "first_row": taken, "rows_of_delivery": total, "rows": rows.to_dicts()}
            accepted = self._accepted(self._post(body, key, f"{taken:,} of {total:,} rows"), len(rows))
            refusals = 0 if accepted else refusals + 1
            if refusals == ATTEMPTS:
                raise _stopped("it takes no row of the next batch", f"{taken:,} of {total:,} rows")
            taken += accepted
            delivery.acknowledge(taken)
        return {}

    def _post(self, body: Mapping[str, Any], key: str, so_far: str) -> bytes:
        content = json.dumps(body, ensure_ascii=False, default=str).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "matinee", "Idempotency-Key": key}
        request = urllib.request.Request(self._address, content, {**headers, **self._headers})  # noqa: S310 - http(s)
        why, pause = "", 0.0
        for attempt in range(ATTEMPTS):
            time.sleep(pause)
            pause = PAUSE_SECONDS * 2**attempt
            try:
                with self._open(request, timeout=TIMEOUT_SECONDS) as answer:
                    found: bytes = answer.read(100_000)
                    return found
            except urllib.error.HTTPError as error:
                why = _WORDS.get(error.code, f"it answered {error.code}")
                if error.code not in _AGAIN:
                    break
                asked = error.headers.get("Retry-After", "")
                pause = min(float(asked), _LONGEST_PAUSE_SECONDS) if asked.isdecimal() else pause
            except (OSError, http.client.HTTPException, ValueError) as error:
                # Its own words may hold the address, which may be a secret.
                cause = getattr(error, "reason", None) or error
                why = (
                    cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
                )
        raise _stopped(why, so_far)

    @staticmethod
    def _accepted(answer: bytes, sent: int) -> int:
        """Return how many rows were taken: all of them, unless the answer says otherwise."""
        try:
            said = json.loads(answer)
        except ValueError:
            return sent
        accepted = said.get("accepted", sent) if isinstance(said, dict) else sent
        if type(accepted) is int and 0 <= accepted <= sent:
            return accepted
        raise DestinationError(
            "the webhook's answer counts as accepted what it was not sent; correct it there."
        )


def _stopped(why: str, so_far: str) -> DestinationError:
    return DestinationError(f"the webhook has {so_far}: {why}. Call it again, and it goes on from there.")
