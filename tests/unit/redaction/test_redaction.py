"""Secrets in every form in which an echo may give them back, and the texts that must stay as they are."""

import json
import logging

import pytest

from gem_tasks import redaction
from gem_tasks.corpus.reading.readers import _one_line
from gem_tasks.corpus.sources.objects import why
from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass, GemError, UserError, first_line
from gem_tasks.llm.responses.classify import from_status
from gem_tasks.llm.responses.completions import read_completion
from gem_tasks.llm.responses.offered import read_models
from gem_tasks.redaction import MASK, Redactor, beginning, clean, ending, message
from gem_tasks.redaction.outlets import guard_logs, scrub, shown_traceback
from gem_tasks.redaction.sources import in_data, in_dsn, in_environment, in_headers, in_url
from gem_tasks.redaction.urls import shown_url
from tests.echoed_keys import FORMS, KEY


@pytest.fixture(autouse=True)
def known():
    redaction.know("GEM_LLM_API_KEY", KEY)
    yield
    redaction.IN_FORCE.forget()


def leaks(text):
    """Whether the form, or half of it, is still there."""
    return [name for name, form in FORMS.items() if form in text or form[: len(form) // 2] in text]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_cut_out_and_the_rest_stays(name):
    cleaned = clean(f"Before it, {FORMS[name]} and behind.")
    assert cleaned.startswith("Before it, ")
    assert cleaned.endswith(" and behind.")
    assert MASK in cleaned
    assert not leaks(cleaned)


@pytest.mark.parametrize("name", FORMS)
def test_an_answer_that_echoes_the_key_is_kept_without_it(name):
    text = f"<summary>{FORMS[name]}</summary>"
    body = {
        "model": FORMS[name],
        "choices": [{"message": {"content": text, "reasoning": text}, "finish_reason": "stop"}],
    }
    found = read_completion(json.dumps(body).encode(), 1.0)
    assert not leaks(found.model_dump_json())
    assert found.text.startswith("<summary>")
    assert found.text.endswith("</summary>")
    assert found.thoughts == found.text


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("before", [0, 270, 19_990])
def test_an_error_that_echoes_the_key_is_told_without_it_wherever_it_is_cut(name, before):
    body = json.dumps(
        {"error": {"message": "x" * before + " " + FORMS[name] + " y" * 20_000, "code": "invalid_api_key"}}
    )
    error = from_status(401, {}, body)
    for text in (str(error), error.detail, error.complaint.message, error.complaint.text):
        assert not leaks(text)
    assert error.error_class is ErrorClass.AUTH


def _raised(read, *arguments):
    with pytest.raises(EndpointError) as caught:
        read(*arguments)
    return caught.value


ELSEWHERE = {
    "code": lambda key: from_status(400, {}, json.dumps({"error": {"message": "no", "code": key}})),
    "type": lambda key: from_status(400, {}, json.dumps({"error": {"message": "no", "type": key}})),
    "param": lambda key: from_status(400, {}, json.dumps({"error": {"message": "no", "param": key}})),
    "place": lambda key: from_status(422, {}, json.dumps({"detail": [{"loc": ["body", key], "msg": key}]})),
    "list": lambda key: from_status(400, {}, json.dumps([{"error": {"message": key, "status": key}}])),
    "page": lambda key: from_status(502, {}, f"<html>{key}</html>"),
    "Location": lambda key: from_status(302, {"location": f"https://host/{key}"}, ""),
    "late Location": lambda key: from_status(302, {"location": f"https://host/{'x' * 170}/{key}"}, ""),
    "no answer": lambda key: _raised(read_completion, json.dumps({"x" * 70 + key: 1}).encode(), 1.0),
    "no list": lambda key: _raised(read_models, json.dumps({"x" * 70 + key: 1}).encode()),
}


@pytest.mark.parametrize("place", ELSEWHERE)
@pytest.mark.parametrize("name", FORMS)
def test_wherever_an_endpoint_writes_the_key_it_is_told_without_it(name, place):
    error = ELSEWHERE[place](FORMS[name])
    for text in (str(error), error.detail, *error.complaint):
        assert not leaks(text)


@pytest.mark.parametrize("name", FORMS)
def test_a_model_named_after_the_key_is_listed_without_it(name):
    found = read_models(json.dumps({"data": [{"id": FORMS[name]}, {"id": "x" * 180 + FORMS[name]}]}).encode())
    assert not [text for text in found if leaks(text)]


def test_what_is_cut_is_cleaned_first():
    text = "a" * 290 + KEY + "b" * 90_000
    assert beginning(text, 300) == "a" * 290 + MASK
    assert ending("b" * 90_000 + KEY + "a" * 290, 300) == MASK + "a" * 290
    assert (beginning("short", 9), ending("short", 9), beginning("longer", 4)) == ("short", "short", "long")


@pytest.mark.parametrize(
    "text",
    [
        "", "An ordinary sentence, 100 % of it.", "sk-Planted is how keys begin", json.dumps({"a": ["\\u0041", "é"]}),
        "می\u200cخواهم 👨\u200d👩", "QmVhcmVy", "%41%42", "&amp;&#65;", "http://user@host/path?q=1", "=20" * 50,
    ],
)  # fmt: skip
def test_other_texts_stay_as_they_are(text):
    assert clean(text) == text


def test_words_are_no_secrets_and_what_is_too_short_is_named():
    redactor = Redactor()
    for name, secret in (("A", "postgres"), ("B", "secret"), ("C", "aaaaaaaaaaaaaaaa"), ("D", "12345678")):
        redactor.know(name, secret)
    assert redactor.clean("postgres secret aaaaaaaaaaaaaaaa 12345678") == "postgres secret aaaaaaaaaaaaaaaa 12345678"
    assert redactor.weak == ["A", "B", "C", "D"]
    redactor.know("A", "postgres-7Q")
    assert redactor.weak == ["B", "C", "D"]
    assert redactor.clean("is postgres-7Q, or 51-7q-...") == f"is {MASK}, or 51-7q-..."


def test_a_flood_of_encoded_keys_is_taken_out_whole():
    flood = FORMS["HTML numbers"] * 3000
    assert clean(flood) == f"[redacted: {len(flood)} characters that held a secret]"


def test_many_minted_tokens_push_out_the_oldest():
    redactor = Redactor()
    tokens = [f"tok-{number:05d}-{number * 7919:09x}" for number in range(300)]
    for token in tokens:
        redactor.know("minted", token)
    assert redactor.clean(tokens[-1]) == MASK
    assert redactor.clean(tokens[0]) == tokens[0]


def test_errors_of_ours_have_neither_secrets_nor_user_names_nor_queries():
    url = f"https://me:hunter2@host:1/v1?key={KEY}&api-version=1"
    for error in (GemError(url), UserError(url, url), EndpointError(ErrorClass.TIMEOUT, url), GemError(f"({url})")):
        assert "hunter2" not in str(error)
        assert KEY not in str(error)
        assert "https://host:1/v1" in str(error)
        assert "?" not in str(error)
    assert first_line(ValueError(f"\n postgresql://gem:pw@h/x?sslpassword=y {KEY}")) == f"postgresql://h/x {MASK}"
    assert UserError("a", url).fix == "https://host:1/v1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@host:8443/v1?key=x#f", "https://host:8443/v1"),
        ("postgresql://gem:a@b@host/db?password=x", "postgresql://host/db"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("http://[::1", "(no URL)"),
        ("/a/folder", "/a/folder"),
    ],
)
def test_a_url_is_shown_without_who_asks(url, shown):
    assert shown_url(url) == shown


def test_secrets_are_found_where_they_are_kept():
    env = {
        "OPENAI_API_KEY": "k1", "AWS_SECRET_ACCESS_KEY": "k2", "HF_TOKEN": "k3", "GEM_LLM_MAX_TOKENS": "4096",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://gem:k%2F4@h/x", "REDIS": "redis://:k5@h:1/0",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token", "AIRFLOW__CORE__FERNET_KEY": "k6",
        "AIRFLOW_CONN_X": '{"password": "k7", "extra": {"api_key": "k8"}}', "DSN": "host=h password='k9 \\' x' user=u",
        "URL": "https://h/v1?api-key=k10&deployment=public", "PATH": "/bin",
        "AIRFLOW_CONN_Y": json.dumps(
            {"extra": json.dumps({"headers": {"api-key": "k11", "Authorization": "Bearer k18"}, "port": 1})}
        ),
        "AIRFLOW_CONN_Z": "http://h/?__extra__=%7B%22token%22%3A+%22k12%22%7D", "PROXY_AUTH": "Basic k13",
        "GEM_ALERT_URL": "https://h/k14", "SLACK_WEBHOOK_URL": "https://h/k15", "GH_PAT": "k16",
        "BACKEND_KWARGS": '{"secret_id": "k17"}', "GEM_LLM_API_KEY_COMMAND": "print it", "DISPATCH": "no",
    }  # fmt: skip
    found = {secret for _, secret in in_environment(env)}
    assert found == {
        "k1", "k2", "k3", "k%2F4", "k/4", "k5", "k6", "k7", "k8", "k9 ' x", "k10", "k11", "k12", "Basic k13", "k13",
        "https://h/k14", "https://h/k15", "k16", "k17", "Bearer k18", "k18",
    }  # fmt: skip
    assert dict(in_headers("H", {"Authorization": "Bearer k1", "X-Title": "GEM", "api-key": "k2"})) == {
        "H (Authorization)": "k1", "H (api-key)": "k2",
    }  # fmt: skip
    assert list(in_url("U", "http://[")) == []
    for query in ("?x=1;key=k", "?x=1#key=k", "#token=k", "?k"):
        assert [secret for _, secret in in_url("U", f"https://h/v1{query}")] == ["k"], query
    assert list(in_dsn("D", "mysql://gem:pw@h/x")) == [("D", "pw")]
    assert list(in_data("B", {"a": [{"api_key": "k"}], "b": "c"})) == [("B (api_key)", "k")]


def test_settings_make_their_secrets_known(monkeypatch, tmp_path):
    from gem_tasks.settings import load

    redaction.IN_FORCE.forget()
    planted = {
        "GEM_LLM_API_KEY": "Common-key-0123456789",
        "GEM_LLM_API_KEY_FILTER": "Filter-key-0123456789",
        "GEM_LLM_EXTRA_HEADERS": '{"X-Gateway": "Header-key-0123456789"}',
        "GEM_LLM_EXTRA_BODY": '{"api_key": "Body-key-0123456789"}',
        "GEM_POSTGRES_DSN": "postgresql://gem:Dsn-key-0123456789@h/x",
        "GEM_LLM_BASE_URL": "https://h/v1?key=Query-key-0123456789",
        "AWS_SECRET_ACCESS_KEY": "Store-key-0123456789",
    }
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    load()
    text = "Common-key Filter-key Header-key Body-key Dsn-key Query-key Store-key"
    cleaned = clean(" ".join(f"{word}-0123456789" for word in text.split()))
    assert cleaned == " ".join([MASK] * 7)


def test_logs_and_tracebacks_are_cleaned_with_all_that_they_were_raised_from(caplog):
    before = logging.getLogRecordFactory()
    guard_logs()
    try:
        try:
            try:
                raise LookupError(f"inner {FORMS['base64 of Bearer']}")
            except LookupError as inner:
                raise RuntimeError(f"outer {KEY}") from inner
        except RuntimeError as error:
            logging.getLogger("x").exception("with %s and \x1b]0;title\x07", KEY)
            shown = shown_traceback(error)
    finally:
        logging.setLogRecordFactory(before)
    assert not leaks(caplog.text)
    assert not leaks(shown)
    assert "\x1b" not in caplog.text
    assert "RuntimeError: outer [redacted]" in shown
    assert "LookupError: inner " in shown


def test_an_exception_that_makes_its_text_itself_is_cut_off():
    class OddError(Exception):
        def __str__(self):
            return KEY

    try:
        try:
            raise OddError
        except OddError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        scrub(error)
        assert error.__cause__ is None
        assert error.__suppress_context__


def test_a_message_of_ours_without_a_secret_stays():
    assert message("Nothing is known as 'x' at s3://bucket/a. See https://host/a/b.") == (
        "Nothing is known as 'x' at s3://bucket/a. See https://host/a/b."
    )


def test_a_completion_is_the_same_when_nothing_is_in_it():
    assert Completion(text="a \\u0041 %41", finish_reason="stop").text == "a \\u0041 %41"


def test_what_a_reader_says_of_an_error_is_cleaned(monkeypatch):
    redaction.know("GEM_LLM_API_KEY", KEY)
    error = OSError(5, f"store refused {KEY}")
    assert why(error) == f"store refused {MASK}"
    assert _one_line(error) == f"OSError: store refused {MASK}"
