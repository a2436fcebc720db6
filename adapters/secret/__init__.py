"""The secret of a deployment: the file that contains it unless it is a setting, and the keys derived from it."""
