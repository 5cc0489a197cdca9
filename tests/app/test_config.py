"""The configuration: checked whole, each mistake named, nothing unknown passed over."""

import base64
from pathlib import Path

import pytest

from app.config import Config, from_environment
from app.errors import Misconfigured

KEY = base64.b64encode(b"k" * 32).decode()


def configured(**variables: str) -> Config:
    return from_environment({f"COUNTERFOIL_{name}": value for name, value in variables.items()})


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = from_environment({})
    assert config.data == tmp_path / "data"
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'counterfoil.sqlite'}"
    assert (config.url, config.bind) == ("http://127.0.0.1:8000", "127.0.0.1:8000")
    assert config.keys_dir == tmp_path / "data" / "keys"
    assert config.certs_dir == tmp_path / "data" / "certs"
    assert config.on_loopback


def test_everything_that_is_set_is_taken(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("a certificate")
    config = configured(
        DATA=str(tmp_path),
        DATABASE_URL="postgresql://shop@db/counterfoil",
        URL="https://cards.example.com/",
        BIND="0.0.0.0:80",
        WORKERS="4",
        THREADS="8",
        APNS_URL="https://127.0.0.1:2197",
        APNS_CA=str(ca),
        GOOGLE_API_URL="http://127.0.0.1:9000",
        GOOGLE_ISSUER_ID="3388000000012345678",
        MASTER_KEY=KEY,
        METRICS_TOKEN="m" * 24,
        TRUSTED_PROXIES="1",
    )
    assert config == Config(
        data=tmp_path,
        database_url="postgresql+psycopg://shop@db/counterfoil",
        url="https://cards.example.com",
        bind="0.0.0.0:80",
        workers=4,
        threads=8,
        apns_url="https://127.0.0.1:2197",
        apns_ca=ca,
        google_api_url="http://127.0.0.1:9000",
        google_issuer_id="3388000000012345678",
        master_key=b"k" * 32,
        trusted_proxies=1,
        metrics_token="m" * 24,
    )
    assert not config.on_loopback


def test_a_relative_data_folder_is_made_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert configured(DATA="shop").data == tmp_path / "shop"


def test_without_an_address_links_lead_to_where_the_service_listens() -> None:
    assert configured(BIND="127.0.0.1:8123").url == "http://127.0.0.1:8123"


@pytest.mark.parametrize(
    ("url", "bind"),
    [
        ("http://127.0.0.1:8123", "127.0.0.1:8123"),
        ("http://localhost:8123", "127.0.0.1:8123"),
        ("http://[::1]:8123", "[::1]:8123"),
        # A proxy answers there, and asks the service where it always is.
        ("https://cards.example.com", "127.0.0.1:8000"),
        ("https://localhost:8443", "127.0.0.1:8000"),
    ],
)
def test_without_a_bind_the_service_listens_where_the_address_says(url: str, bind: str) -> None:
    assert from_environment({"COUNTERFOIL_URL": url}).bind == bind
    given = {"COUNTERFOIL_URL": url, "COUNTERFOIL_BIND": "127.0.0.1:9"}
    assert from_environment(given).bind == "127.0.0.1:9"


def test_an_unknown_setting_is_an_error_that_names_the_nearest_one() -> None:
    with pytest.raises(Misconfigured, match="did you mean COUNTERFOIL_DATABASE_URL"):
        configured(DATABSE_URL="sqlite:///x")
    with pytest.raises(Misconfigured, match="COUNTERFOIL_ZZZ is not a setting"):
        configured(ZZZ="1")


def test_the_till_s_settings_are_none_of_the_service_s_business() -> None:
    from_environment({"COUNTERFOIL_SCAN_WHATEVER": "1", "PATH": "/bin", "COUNTERFOILX": "1"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("URL", "cards.example.com", "must be an address"),
        ("URL", "ftp://cards.example.com", "must be an address"),
        ("URL", "http://cards.example.com", "must begin with https://"),
        ("URL", "https://cards.example.com/?a=1", r"no \?"),
        ("URL", "https://", "must be an address"),
        ("APNS_URL", "http://api.push.apple.com", "must begin with https://"),
        ("BIND", "8000", "host:port"),
        ("BIND", "127.0.0.1:99999", "host:port"),
        ("DATABASE_URL", "mysql://db/x", "must begin with sqlite:/// or postgresql://"),
        ("WORKERS", "0", "whole number from 1 to 64"),
        ("WORKERS", "2.5", "whole number"),
        ("THREADS", "9999", "whole number"),
        ("TRUSTED_PROXIES", "-1", "whole number"),
        ("WORKERS", "²", "whole number"),
        ("METRICS_TOKEN", "short", "16 to 200 letters"),
        ("METRICS_TOKEN", "with a blank in it ...", "16 to 200 letters"),
        ("MASTER_KEY", "c2hvcnQ=", "32 bytes in base64"),
        ("MASTER_KEY", "not base64!", "32 bytes in base64"),
        ("APNS_CA", "/nowhere/ca.pem", "a file that is not there: /nowhere/ca.pem"),
        ("GOOGLE_ISSUER_ID", "issuer", "digits only"),
        ("GOOGLE_ISSUER_ID", "", "digits only"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(name: str, value: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=f"COUNTERFOIL_{name} .*{says}"):
        configured(**{name: value})


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(Misconfigured) as caught:
        configured(WORKERS="x", BIND="x", NONSENSE="x")
    assert len(caught.value.message.splitlines()) == 3


def test_a_master_key_comes_from_one_place_only(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="exclude each other"):
        configured(MASTER_KEY=KEY, MASTER_KEY_FILE=str(tmp_path / "key"))


def test_a_wrong_master_key_is_not_repeated_in_the_message() -> None:
    with pytest.raises(Misconfigured) as caught:
        configured(MASTER_KEY=KEY + "x")
    assert KEY not in caught.value.message


def test_several_processes_serve_either_database() -> None:
    assert configured(WORKERS="2").workers == 2
    assert configured(WORKERS="2", DATABASE_URL="postgres://db/x").workers == 2


def test_the_configuration_does_not_show_its_secrets() -> None:
    config = configured(MASTER_KEY=KEY, DATABASE_URL="postgresql://shop:hunter2@db/x")
    assert repr(b"k" * 32) not in repr(config)
    assert "hunter2" not in repr(config)


def test_a_mail_server_is_set_up_whole_or_not_at_all(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("tōp secret\n")
    config = configured(
        SMTP_SERVER="mail.example.com:465",
        SMTP_TLS="tls",
        SMTP_NAME="shop",
        SMTP_PASSWORD_FILE=str(password),
        SMTP_FROM="cards@example.com",
    )
    assert (config.smtp_server, config.smtp_from) == ("mail.example.com:465", "cards@example.com")
    assert config.read_smtp_password() == "tōp secret"
    assert "secret" not in repr(configured(
        SMTP_SERVER="127.0.0.1:25", SMTP_TLS="none", SMTP_FROM="a@b.example",
        SMTP_NAME="n", SMTP_PASSWORD="secret",
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SMTP_FROM": "a@b.example"}, "does nothing without"),
        ({"SMTP_SERVER": "m.example:587"}, "SMTP_FROM has to be set"),
        ({"SMTP_SERVER": "m.example:587", "SMTP_FROM": "Café <a@b.example>"}, "an address"),
        ({"SMTP_SERVER": "m.example:25", "SMTP_FROM": "a@b.example", "SMTP_TLS": "none"}, "only"),
        ({"SMTP_SERVER": "m.example", "SMTP_FROM": "a@b.example"}, "host:port"),
        ({"SMTP_SERVER": "m.example:25", "SMTP_FROM": "a@b.example", "SMTP_NAME": "n"}, "together"),
    ],
)
def test_half_a_mail_server_is_refused(variables: dict[str, str], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        configured(**variables)
