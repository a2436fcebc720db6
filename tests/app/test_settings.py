"""The environment as settings: what is accepted, and that every mistake is reported at once."""

from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, storage_directory
from domain.rate_limits import Plan, Window


def test_without_variables_the_settings_have_working_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.read({})
    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url is None
    assert storage_directory(settings.storage_url) == tmp_path / "data" / "files"
    assert settings.rate_limit_url == "memory://"
    assert (settings.rate_limit_shares, settings.workers) == (None, 1)
    assert settings.plans == {
        Plan.STARTER: (Window(10, 60), Window(100, 86_400)),
        Plan.PRO: (Window(50, 60), Window(1000, 86_400)),
        Plan.ORG: (Window(200, 60), Window(10_000, 86_400)),
    }


def test_every_setting_is_read() -> None:
    settings = Settings.read(
        {
            "DOSSIER_DATA_DIR": "/srv/dossier",
            "DOSSIER_DATABASE_URL": "postgresql://u:p@db/dossier",
            "DOSSIER_STORAGE_URL": "file:///srv/a%20b",
            "DOSSIER_RATE_LIMIT_URL": "valkey://u:p@counters/1",
            "DOSSIER_RATE_LIMIT_SHARES": "12",
            "DOSSIER_PUBLIC_URL": "https://documents.example.com/",
            "DOSSIER_SECRET": "s" * 32,
            "DOSSIER_TRUSTED_PROXIES": "10.0.0.1, 10.1.0.0/16",
            "DOSSIER_PLAN_STARTER": "1/second",
            "PATH": "/bin",
        }
    )
    assert settings.data_dir == Path("/srv/dossier")
    assert settings.database_url == "postgresql://u:p@db/dossier"
    assert storage_directory(settings.storage_url) == Path("/srv/a b")
    assert settings.rate_limit_url == "valkey://u:p@counters/1"
    assert settings.rate_limit_shares == 12
    assert settings.public_url == "https://documents.example.com"
    assert settings.secret == "s" * 32
    assert settings.trusted_proxies == ("10.0.0.1", "10.1.0.0/16")
    assert settings.plans[Plan.STARTER] == (Window(1, 1),)


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.read({"DOSSIER_DATABASE_URL": ""}).database_url is None


def test_every_mistake_is_reported_with_its_variable() -> None:
    wrong = {
        "DOSSIER_DATABASE_URL": "mysql://x",
        "DOSSIER_POSTGRES_BIN": "/nowhere",
        "DOSSIER_STORAGE_URL": "ftp://x",
        "DOSSIER_RATE_LIMIT_URL": "nonsense",
        "DOSSIER_RATE_LIMIT_SHARES": "0",
        "DOSSIER_PUBLIC_URL": "example.com",
        "DOSSIER_SECRET": "short",
        "DOSSIER_TRUSTED_PROXIES": "localhost",
        "DOSSIER_PLAN_STARTER": "many",
        "DOSSIER_PLAN_PRO": "10",
        "DOSSIER_PLAN_ORG": "0/minute",
        "DOSSIER_DATABSE_URL": "postgresql://misspelt",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.read(wrong)
    lines = str(caught.value).splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(wrong)


@pytest.mark.parametrize(
    "url",
    [
        *("file://relative", "file:relative", "file://host/path", "ftp://bucket", "/srv/files"),
        *("file:///srv/a#b", "file:///srv/a?b", "file:///srv/a%00b", "file://[x"),
    ],
)
def test_a_storage_url_names_an_absolute_directory(url: str) -> None:
    with pytest.raises(SettingsError, match="DOSSIER_STORAGE_URL"):
        Settings.read({"DOSSIER_STORAGE_URL": url})


def test_a_storage_url_may_name_a_bucket() -> None:
    url = "s3://acme-documents?region=eu-central-1"
    assert Settings.read({"DOSSIER_STORAGE_URL": url}).storage_url == url


def test_an_invalid_bucket_url_is_explained_in_a_sentence() -> None:
    with pytest.raises(
        SettingsError, match=r"^DOSSIER_STORAGE_URL must not have a path: the whole bucket is Dossier's"
    ):
        Settings.read({"DOSSIER_STORAGE_URL": "s3://acme-documents/files?region=eu-central-1"})


@pytest.mark.parametrize(
    "url",
    ["http://h:99999", "http://h/a b", "http://h/ä", "http://u:p@h/x", "http://[::1", "http://h/?a", "http://h/#a"],
)
def test_a_public_url_with_which_no_signed_url_can_begin_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"DOSSIER_PUBLIC_URL must be the address"):
        Settings.read({"DOSSIER_PUBLIC_URL": url})


@pytest.mark.parametrize("name", ["DOSSIER_DATA_DIR", "DOSSIER_POSTGRES_BIN"])
@pytest.mark.parametrize("path", ["~nobody-has-this-name/x", "a\0b"])
def test_an_impossible_path_is_reported(name: str, path: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must "):
        Settings.read({name: path})


def test_a_secret_must_be_text() -> None:
    with pytest.raises(SettingsError, match="DOSSIER_SECRET must be text"):
        Settings.read({"DOSSIER_SECRET": "\udcff" * 40})


@pytest.mark.parametrize(
    "url",
    [
        *("valkey://counters", "redis://counters:6380/3", "valkey://:p%40ss@[::1]:6379", "valkeys://u:p@counters"),
        *("rediss://counters?ssl_ca_certs=/etc/ca.pem", "valkey+unix:///run/valkey.sock", "redis+unix:///run/a?db=2"),
    ],
)
def test_a_rate_limit_url_may_name_a_valkey_or_redis(url: str) -> None:
    assert Settings.read({"DOSSIER_RATE_LIMIT_URL": url}).rate_limit_url == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            *("memory://x", "memcached://h", "valkey://", "valkey://h:0", "valkey://h:99999", "valkey://h/a"),
            "valkey:///0",
        ),
        *("valkey://h1:1,h2:2", "valkey://a@b@h", "valkey://h?socket_timeout=9", "valkey://h#0", "valkey://ä"),
        *("valkey+unix://", "valkey+unix:///", "valkey+unix://run/valkey.sock", "valkey+unix:///run/a?db=x"),
    ],
)
def test_a_rate_limit_url_names_one_server(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DOSSIER_RATE_LIMIT_URL (must|has) "):
        Settings.read({"DOSSIER_RATE_LIMIT_URL": url})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "\u0661", "9" * 10])
def test_rate_limit_shares_are_a_whole_number(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^DOSSIER_RATE_LIMIT_SHARES must be a whole number"):
        Settings.read({"DOSSIER_RATE_LIMIT_SHARES": text})
