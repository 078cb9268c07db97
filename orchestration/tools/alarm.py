"""Telling people that a run failed or a check did: a POST to a webhook, a mail.

Belongs here: the words, the way they go. Does not belong here: when Dagster asks for it (`orchestration.alarms`), who
is told (`orchestration.settings.AlarmSettings`).

Whoever cannot be reached fails no run: what went wrong is returned as a sentence, without addresses and passwords.
"""

import http.client
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Literal

import dagster as dg
import polars as pl

from orchestration.settings import AlarmSettings
from orchestration.stores.runs import DIED
from orchestration.tools.run_ends import problems_of_run
from orchestration.tools.run_history import checks_of_run
from published.people import hide_emails

COMMAND_TAG = "matinee/command"
"""Tag of a run of `matinee run`, which tells itself of what it lives to see."""
_RETRIES, _REASON = "dagster/will_retry", "dagster/failure_reason"
_TIMEOUT_SECONDS, _ATTEMPTS, _PAUSE_SECONDS = 5, 3, 1
_MOST_TOLD = 20
_TOO_MANY_REQUESTS, _SERVER_ERRORS = 429, 500


@dataclass(frozen=True)
class Alarm:
    """One message.

    Attributes
    ----------
    event : what happened, for programs.
    title : the same in one sentence.
    lines : why, a sentence each.
    facts : what else programs may want; plain JSON.
    """

    event: Literal["run_failed", "run_refused", "checks_failed", "warnings"]
    title: str
    lines: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """Title and lines."""
        more = len(self.lines) - _MOST_TOLD
        lines = [*self.lines[:_MOST_TOLD], *([f"and {more:,} more"] if more > 0 else [])]
        return hide_emails("\n".join([self.title, *(f"- {line}" for line in lines)]))

    def to_json(self) -> str:
        """Return it as one JSON object; receivers such as Slack show its `text`."""
        return json.dumps({"text": self.text, "event": self.event, **(self.facts or {})}, ensure_ascii=False)


def alarm_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, *, said: str = "", with_warnings: bool = False
) -> Alarm | None:
    """Return what is to be told of a run that has ended; None where it went well.

    Parameters
    ----------
    instance
        Knows what the run did.
    run
        As it is now.
    said
        What Dagster says of its failure, for a run that never began.
    with_warnings
        Whether checks that only warn are told of, too.
    """
    record = instance.get_run_record_by_id(run.run_id)
    current = record.dagster_run if record else run
    failed = checks_of_run(instance, run.run_id).filter(pl.col("outcome") == "failed")
    errors, warnings = (failed.filter(pl.col("severity") == severity) for severity in ("error", "warn"))
    facts = {"run_id": run.run_id, "job": run.job_name, "checks": _facts(failed)}
    if current.status == dg.DagsterRunStatus.FAILURE:
        # Of a process that is gone Dagster says that somebody else marked its run as failed.
        never_began = current.tags.get(_REASON) == "START_TIMEOUT" and said
        found = problems_of_run(instance, run.run_id) or [said if never_began else DIED]
        problems = [hide_emails(problem) for problem in found]
        errors = errors.filter(~pl.col("description").is_in(found).fill_null(value=False))  # said already
        again = " It is begun anew by itself." if current.tags.get(_RETRIES) == "true" else ""
        title = f"Matinee: the run {run.job_name} failed. What was published before stays readable.{again}"
        return Alarm("run_failed", title, (*problems, *_sentences(errors)), {**facts, "problems": problems})
    told = failed if with_warnings else errors
    if told.is_empty():
        return None
    count = f"{len(told)} check{' has' if len(told) == 1 else 's have'} failed"
    title = f"Matinee: the run {run.job_name} went through, and {count}."
    return Alarm(
        "warnings" if errors.is_empty() else "checks_failed",
        title,
        (*_sentences(errors), *(_sentences(warnings) if with_warnings else ())),
        facts,
    )


def send(alarm: Alarm | None, settings: AlarmSettings) -> list[str]:
    """Tell everybody whom the settings name; return what went wrong, as sentences.

    It waits 18 seconds at most for a webhook, and 5 for each answer of a mail server.
    """
    if alarm is None:
        return []
    problems = []
    if settings.alert_webhook is not None and (problem := _post(alarm, settings)):
        problems.append(f"MATINEE_ALERT_WEBHOOK was not told: {problem}.")
    if settings.recipients and (problem := _mail(alarm, settings)):
        problems.append(f"MATINEE_ALERT_MAIL was not told: {problem}.")
    return problems


def _sentences(checks: pl.DataFrame) -> list[str]:
    return [
        f'{row["layer"]}.{row["table_name"]} fails "{row["check_name"].replace("_", " ")}"'
        + (f": {row['description']}" if row["description"] else "")
        for row in checks.iter_rows(named=True)
    ]


def _facts(checks: pl.DataFrame) -> Sequence[Mapping[str, Any]]:
    """Return checks as plain JSON, without e-mail addresses in what they found."""
    rows = checks.select("layer", "table_name", "check_name", "severity", "description").head(_MOST_TOLD)
    found: list[dict[str, Any]] = json.loads(hide_emails(rows.write_json()))
    return found


def _post(alarm: Alarm, settings: AlarmSettings) -> str | None:
    """Post it; return why that did not work."""
    address = settings.alert_webhook.get_secret_value() if settings.alert_webhook else ""
    request = urllib.request.Request(  # noqa: S310 - the setting takes http and https only
        address, alarm.to_json().encode(), {"Content-Type": "application/json", "User-Agent": "matinee"}
    )
    problem = None
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt * _PAUSE_SECONDS)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
                return None
        except urllib.error.HTTPError as error:
            problem = f"it answered {error.code}"
            if error.code < _SERVER_ERRORS and error.code != _TOO_MANY_REQUESTS:
                return problem  # asked again it would say the same
        except (OSError, http.client.HTTPException) as error:
            problem = _reason(error)
    return problem


def _mail(alarm: Alarm, settings: AlarmSettings) -> str | None:
    """Mail it; return why that did not work."""
    message = EmailMessage()
    message["Subject"] = " ".join(alarm.title.split())
    message["From"], message["To"] = settings.smtp_from, ", ".join(settings.recipients)
    message.set_content(alarm.text)
    try:
        with _server(settings) as server:
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return _reason(error)
    return None


def _server(settings: AlarmSettings) -> smtplib.SMTP:
    host, port = settings.smtp_host or "", settings.smtp_port
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
    if settings.smtp_security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


def _reason(error: Exception) -> str:
    """Return what kind of failure it was: the words of an error may hold an address or an answer with a password."""
    cause = getattr(error, "reason", None) or error
    words = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
    return str(words)
