"""Piccolo's configuration, for its own command line: `PICCOLO_CONF=adapters.postgres.piccolo_conf piccolo …`.

Importing it connects to the database. The service itself never imports it.
"""

import os

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

DB = PostgresEngine({"dsn": os.environ["DOSSIER_DATABASE_URL"]})
APP_REGISTRY = AppRegistry(apps=["adapters.postgres.piccolo_app"])
