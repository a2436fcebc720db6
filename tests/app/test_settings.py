"""Settings from the environment: the accepted values, and errors that report every mistake at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, storage_directory
from domain.rate_limits import Plan, Window
from domain.uploads import UploadRules


def test_without_variables_the_settings_have_working_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.read({"DOSSIER_DATABASE_URL": ""})  # an empty variable is not set
    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url is None
    assert storage_directory(settings.storage_url) == tmp_path / "data" / "files"
    assert settings.rate_limit_url == "memory://"
    assert (settings.rate_limit_shares, settings.workers, settings.keep_alive_seconds) == (None, 1, 75)
    assert (settings.public_url, settings.address, settings.cors_origins) == (None, "http://127.0.0.1:8000", ())
    assert (settings.min_free_bytes, settings.uploads) == (2**30, UploadRules())
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
            "DOSSIER_KEEP_ALIVE_SECONDS": "620",
            "DOSSIER_MIN_FREE_BYTES": "0",
            "DOSSIER_UNSIZED_UPLOAD_BYTES": "1000",
            "DOSSIER_REQUIRE_UPLOAD_SIZE": "on",
            "DOSSIER_EVENTS_KEPT_DAYS": "90",
            "DOSSIER_PUBLIC_URL": "https://documents.example.com/",
            "DOSSIER_CORS_ORIGINS": "https://app.example.com, http://localhost:5173",
            "DOSSIER_SECRET": "s" * 32,
            "DOSSIER_TRUSTED_PROXIES": "10.0.0.1, 10.1.0.0/16",
            "DOSSIER_PLAN_STARTER": "1/second",
            "PATH": "/bin",
        }
    )
    assert settings == Settings(
        data_dir=Path("/srv/dossier"),
        database_url="postgresql://u:p@db/dossier",
        postgres_bin=None,
        storage_url="file:///srv/a%20b",
        rate_limit_url="valkey://u:p@counters/1",
        rate_limit_shares=12,
        public_url="https://documents.example.com",
        cors_origins=("https://app.example.com", "http://localhost:5173"),
        secret="s" * 32,
        trusted_proxies=("10.0.0.1", "10.1.0.0/16"),
        keep_alive_seconds=620,
        min_free_bytes=0,
        uploads=UploadRules(unsized_bytes=1000, require_size=True),
        events_kept=timedelta(days=90),
        plans={**Settings.read({}).plans, Plan.STARTER: (Window(1, 1),)},
    )
    assert storage_directory(settings.storage_url) == Path("/srv/a b")


ACCEPTED = {
    "STORAGE_URL": ["s3://acme-documents?region=eu-central-1"],
    "RATE_LIMIT_URL": [
        *("valkey://counters", "redis://counters:6380/3", "valkey://:p%40ss@[::1]:6379", "valkeys://u:p@counters"),
        *("rediss://counters?ssl_ca_certs=/etc/ca.pem", "valkey+unix:///run/valkey.sock", "redis+unix:///run/a?db=2"),
    ],
}
REFUSED = {
    "MIN_FREE_BYTES": ["-1", "1GB", "1.5"],
    "REQUIRE_UPLOAD_SIZE": ["true", "ON"],
    "DATA_DIR": ["~no-such-user/x", "a\0b"],
    "DATABASE_URL": ["mysql://x"],
    "POSTGRES_BIN": ["/nowhere", "~no-such-user/x", "a\0b"],
    "STORAGE_URL": [
        *("file://relative", "file:relative", "file://host/path", "ftp://bucket", "/srv/files"),
        *("file:///srv/a#b", "file:///srv/a?b", "file:///srv/a%00b", "file://[x"),
        "s3://acme-documents/files?region=eu-central-1",
    ],
    "RATE_LIMIT_URL": [
        *("memory://x", "memcached://h", "valkey://", "valkey://h:0", "valkey://h:99999", "valkey://h/a"),
        *("valkey:///0", "valkey://h1:1,h2:2", "valkey://a@b@h", "valkey://h?socket_timeout=9", "valkey://h#0"),
        *("valkey://ä", "valkey+unix://", "valkey+unix:///", "valkey+unix://run/valkey.sock"),
        *("valkey+unix:///run/a?db=x", "nonsense"),
    ],
    "RATE_LIMIT_SHARES": ["0", "-1", "1.5", "many", "\u0661", "9" * 10],
    "PUBLIC_URL": [
        *("example.com", "http://h:99999", "http://h/a b", "http://h/ä", "http://u:p@h/x", "http://[::1"),
        *("http://h/?a", "http://h/#a"),
    ],
    "CORS_ORIGINS": [
        *("app.example.com", "https://app.example.com/", "https://App.example.com", "https://a.example/path"),
        *("*, https://app.example.com", "https://*.example.com", "null", "ftp://a.example", "https://a.example:https"),
        *("https://a.example:443", "http://a.example:80", "https://ä.example", "https://u@a.example", "file:///a"),
        *("https://a.example https://b.example", "https://", "wss://a.example", "capacitor://"),
    ],
    "KEEP_ALIVE_SECONDS": ["0", "-1", "1.5", "1m"],
    "EVENTS_KEPT_DAYS": ["0", "-1", "1.5", "30d", "Forever", "100000"],
    "SECRET": ["short", "\udcff" * 40],
    "TRUSTED_PROXIES": ["localhost"],
    "PLAN_STARTER": ["many", "10", "0/minute", "1/minute;2/minute"],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_url_may_name_a_bucket_and_any_valkey_or_redis(name: str) -> None:
    for url in ACCEPTED[name]:
        assert getattr(Settings.read({f"DOSSIER_{name}": url}), name.lower()) == url


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_value_is_refused_in_a_sentence_about_its_variable(name: str) -> None:
    for value in REFUSED[name]:
        with pytest.raises(SettingsError, match=rf"^DOSSIER_{name} (must|has) [^\n]+$"):
            Settings.read({f"DOSSIER_{name}": value})


def test_every_mistake_is_reported_with_its_variable_even_a_misspelt_one() -> None:
    wrong = {f"DOSSIER_{name}": values[0] for name, values in REFUSED.items()}
    wrong["DOSSIER_DATABSE_URL"] = "postgresql://misspelt"
    with pytest.raises(SettingsError) as caught:
        Settings.read(wrong)
    assert sorted(line.split()[0] for line in str(caught.value).splitlines()) == sorted(wrong)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        *(("*", ("*",)), (" * ", ("*",)), ("https://a.example,,", ("https://a.example",))),
        *(("http://a.example:443,https://a.example:80", ("http://a.example:443", "https://a.example:80")),),
        *((one, (one,)) for one in ("http://localhost", "http://127.0.0.1:3000", "http://[::1]:3000")),
        *((one, (one,)) for one in ("chrome-extension://abcdefghijklmnop", "moz-extension://0c1d-2e3f")),
        *((one, (one,)) for one in ("capacitor://localhost", "tauri://localhost", "http://my_app.internal:5173")),
    ],
)
def test_origins_are_allowed_as_browsers_send_them_or_all_with_an_asterisk(text: str, origins: tuple[str, ...]) -> None:
    assert Settings.read({"DOSSIER_CORS_ORIGINS": text}).cors_origins == origins


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        *(("HOST", "0.0.0.0", "--host"), ("PORT", "8080", "--port"), ("WORKERS", "4", "--workers")),
        *(("PORT", "tcp:8080", "--port"), ("PORT", "http://h", "--port")),
    ],
)
def test_a_variable_for_an_option_of_serve_is_refused_and_names_the_option(name: str, value: str, option: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({f"DOSSIER_{name}": value})
    assert str(refused.value).startswith(f"DOSSIER_{name} is not a setting of Dossier; ")
    assert str(refused.value).endswith(f"is an option: dossier serve {option}")


@pytest.mark.parametrize("name", ["dossier_secret", "Dossier_Secret"])
def test_a_variable_in_lower_case_is_refused_and_names_the_setting(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name} is not a setting of Dossier; did you mean DOSSIER_SECRET[?]$"):
        Settings.read({name: "s" * 32})


KUBERNETES = [
    *("PORT", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT_8000_TCP", "PORT_8000_TCP_PROTO"),
    *("PORT_8000_TCP_PORT", "PORT_8000_TCP_ADDR", "PORT_53_UDP"),
    # Kubernetes sets these variables for a service whose name begins with dossier.
    *("POSTGRESQL_SERVICE_HOST", "POSTGRESQL_PORT", "POSTGRESQL_PORT_5432_TCP_ADDR"),
]


def test_the_variables_that_kubernetes_sets_for_a_service_called_dossier_are_not_settings() -> None:
    environ = {f"DOSSIER_{name}": "tcp://10.0.0.1:8000" for name in KUBERNETES}
    assert Settings.read(environ) == Settings.read({})


@pytest.mark.parametrize(
    "name", ["SERVICE", "SERVICE_NAME", "PORT_TCP", "PORT_8000", "PORT_8000_HTTP", "PORT_8000_TCP_X", "SERVICE_HOST_X"]
)
def test_a_name_that_only_begins_like_one_of_kubernetes_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^DOSSIER_{name} is not a setting of Dossier"):
        Settings.read({f"DOSSIER_{name}": "1"})
