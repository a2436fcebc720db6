"""Piccolo's description of this app: its tables and its migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from adapters.postgres.tables import TABLES

APP_NAME = "dossier"
MIGRATIONS = Path(__file__).parent / "migrations"

APP_CONFIG = AppConfig(
    app_name=APP_NAME,
    migrations_folder_path=str(MIGRATIONS),
    table_classes=list(TABLES),
)
