"""The commands for people: `dossier upload`, `download`, `ls`, `find`, `rm` and `link`, against any deployment.

They need the extra `commands`. The command line of the server adds them to its own.
"""

from dossier_client.commands.connection import login
from dossier_client.commands.downloading import download
from dossier_client.commands.finding import find, ls
from dossier_client.commands.single import link, rm
from dossier_client.commands.uploading import upload

COMMANDS = (login, upload, download, ls, find, rm, link)
