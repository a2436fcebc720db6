"""The description of every operation, one section for each tag."""

from adapters.http.description.operations.api_keys import API_KEYS
from adapters.http.description.operations.documents import DOCUMENTS
from adapters.http.description.operations.entity_links import ENTITY_LINKS
from adapters.http.description.operations.folders import FOLDERS
from adapters.http.description.operations.health import HEALTH
from adapters.http.description.operations.usage import USAGE

SECTIONS = (DOCUMENTS, ENTITY_LINKS, FOLDERS, USAGE, API_KEYS, HEALTH)
