"""A run that failed and a check that did are told to whom the settings name; a receiver that is down stops nothing."""

import socket

import dagster as dg
import pytest

from orchestration import alarms
from orchestration.settings import AlarmSettings, SettingsError, load_alarm_settings
from orchestration.tools import alarm as alarm_tool
from orchestration.tools.alarm import COMMAND_TAG, Alarm, alarm_of_run, send
from tests.unit.orchestration.receivers import mail_server, webhook

FAILED = Alarm(
    "run_failed", "Matinee: the run refresh failed.", ("ada@example.org broke it",), {"run_id": "1"}
)


@dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="thing") for name in ("is_round", "is_blue")])
def thing():
    yield dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(check_name="is_round", passed=False, description="It has corners."),
            dg.AssetCheckResult(check_name="is_blue", passed=False, severity=dg.AssetCheckSeverity.WARN),
        ]
    )


@dg.asset
def refused():
    raise dg.Failure(description="ratings.csv: ada@example.org is no number.", allow_retries=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(alarm_tool, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(alarm_tool, "_TIMEOUT_SECONDS", 1)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(instance, asset, **tags):
    return dg.materialize([asset], instance=instance, tags=tags, raise_on_error=False).dagster_run


def settings(**values) -> AlarmSettings:
    return AlarmSettings.model_validate(values)


def hook(port: int, path: str = "secret-token") -> str:
    return f"http://127.0.0.1:{port}/{path}"


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_failed_run_is_told_with_its_reason_in_words(instance):
    found = alarm_of_run(instance, run(instance, refused))
    assert found.event == "run_failed"
    assert found.text.splitlines()[1:] == ["- ratings.csv: a***@… #cfe00d is no number."]
    assert "example.org" not in found.to_json()


def test_a_run_that_went_well_is_told_of_where_a_check_with_severity_error_failed(instance):
    found = alarm_of_run(instance, run(instance, thing))
    assert found.event == "checks_failed"
    assert found.lines == ('thing. fails "is round": It has corners.',)
    with_warnings = alarm_of_run(instance, run(instance, thing), with_warnings=True)
    assert len(with_warnings.lines) == 2


def test_nothing_is_told_of_a_run_in_which_nothing_failed(instance):
    @dg.asset
    def fine(): ...

    assert alarm_of_run(instance, run(instance, fine), with_warnings=True) is None
    assert send(None, settings(alert_webhook=hook(unused_port()))) == []


def test_a_webhook_gets_a_text_and_fields_without_addresses_of_people():
    with webhook() as received:
        assert send(FAILED, settings(alert_webhook=hook(received.port))) == []
    (message,) = received.messages
    assert message["text"].startswith("Matinee: the run refresh failed.\n- a***@…")
    assert (message["event"], message["run_id"]) == ("run_failed", "1")


def test_a_webhook_that_is_busy_is_asked_again_and_one_that_refuses_is_not():
    with webhook([503, 429, 200]) as received:
        assert send(FAILED, settings(alert_webhook=hook(received.port))) == []
    assert len(received.messages) == 3
    with webhook([403]) as received:
        (problem,) = send(FAILED, settings(alert_webhook=hook(received.port)))
    assert problem == "MATINEE_ALERT_WEBHOOK was not told: it answered 403."
    assert len(received.messages) == 1


def test_a_receiver_that_is_down_or_silent_is_said_in_a_sentence_without_its_address():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (unused_port(), silent.getsockname()[1]):
            (problem,) = send(FAILED, settings(alert_webhook=hook(port)))
            assert problem.startswith("MATINEE_ALERT_WEBHOOK was not told: ")
            assert "secret" not in problem
            assert str(port) not in problem


def test_mail_goes_to_everybody_who_is_named():
    with mail_server() as received:
        told = settings(
            alert_mail="ops@example.org, boss@example.org",
            smtp_host="127.0.0.1",
            smtp_port=received.port,
            smtp_security="none",
        )
        assert send(FAILED, told) == []
    (mail,) = received.messages
    assert "Subject: Matinee: the run refresh failed." in mail
    assert "To: ops@example.org, boss@example.org" in mail


def test_a_password_that_a_mail_server_repeats_is_not_repeated():
    with mail_server(password="right") as received:
        told = settings(
            alert_mail="ops@example.org",
            smtp_host="127.0.0.1",
            smtp_port=received.port,
            smtp_security="none",
            smtp_user="matinee",
            smtp_password="hunter2",
        )
        (problem,) = send(FAILED, told)
    assert problem == "MATINEE_ALERT_MAIL was not told: SMTPAuthenticationError."
    assert not received.messages


def test_mail_that_cannot_be_sent_safely_is_not_sent():
    with mail_server() as received:
        told = settings(alert_mail="ops@example.org", smtp_host="127.0.0.1", smtp_port=received.port)
        (problem,) = send(FAILED, told)
    assert problem.startswith("MATINEE_ALERT_MAIL was not told")
    assert not received.messages


def test_one_receiver_that_is_down_does_not_keep_the_other_from_being_told():
    with mail_server() as received:
        told = settings(
            alert_webhook=hook(unused_port()),
            alert_mail="ops@example.org",
            smtp_host="127.0.0.1",
            smtp_port=received.port,
            smtp_security="none",
        )
        assert len(send(FAILED, told)) == 1
    assert len(received.messages) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALERT_WEBHOOK", "hunter2"), ("ALERT_WEBHOOK", "file:///hunter2"), ("SMTP_PORT", "hunter2")],
)
def test_a_setting_that_cannot_be_used_is_named_and_its_value_is_not(monkeypatch, variable, value):
    monkeypatch.setenv(f"MATINEE_{variable}", value)
    with pytest.raises(SettingsError, match=f"MATINEE_{variable}") as refused:
        load_alarm_settings()
    assert "hunter2" not in str(refused.value)


def test_mail_needs_a_server(monkeypatch):
    monkeypatch.setenv("MATINEE_ALERT_MAIL", "ops@example.org")
    with pytest.raises(SettingsError, match="MATINEE_SMTP_HOST"):
        load_alarm_settings()


def test_no_secret_is_in_what_is_handed_to_child_processes_or_shown(monkeypatch):
    monkeypatch.setenv("MATINEE_ALERT_WEBHOOK", "https://hooks.example.org/hunter2")
    assert "hunter2" not in repr(load_alarm_settings())


def sensor_of_failures(instance, failed):
    event = dg.DagsterEvent(
        event_type_value="PIPELINE_FAILURE", job_name=failed.job_name, message="The process ended."
    )
    sensor, _ = alarms.build_alarms()
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name, dagster_instance=instance, dagster_run=failed, dagster_event=event
    )
    sensor(context.for_run_failure())


def test_the_sensor_of_failures_tells_of_a_run_and_goes_on_when_nobody_listens(instance, monkeypatch):
    failed = run(instance, refused)
    with webhook() as received:
        monkeypatch.setenv("MATINEE_ALERT_WEBHOOK", hook(received.port))
        sensor_of_failures(instance, failed)
    (message,) = received.messages
    assert message["run_id"] == failed.run_id
    monkeypatch.setenv("MATINEE_ALERT_WEBHOOK", hook(unused_port()))
    sensor_of_failures(instance, failed)


def test_the_sensor_leaves_to_the_command_what_it_told_and_tells_of_its_death(instance, monkeypatch):
    with webhook() as received:
        monkeypatch.setenv("MATINEE_ALERT_WEBHOOK", hook(received.port))
        sensor_of_failures(instance, run(instance, refused, **{COMMAND_TAG: "run"}))
        assert not received.messages
        dead = dg.DagsterRun(job_name="refresh", tags={COMMAND_TAG: "run"})
        instance.add_run(dead)
        instance.report_run_failed(dead, message="The process ended.")
        sensor_of_failures(instance, instance.get_run_by_id(dead.run_id))
    (message,) = received.messages
    assert message["problems"] == ["Its process ended without a word."]


def test_both_sensors_are_on():
    assert {sensor.default_status for sensor in alarms.build_alarms()} == {dg.DefaultSensorStatus.RUNNING}
