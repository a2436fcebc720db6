"""Running uvicorn: `dossier serve`, its workers, how connections drain, and the HTTP/1.1 protocol it speaks."""
