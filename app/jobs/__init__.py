"""What a server runs in the background beside answering requests."""
