"""The command export: every static URL of an app as a file.

``command`` writes or compares the files, ``file_names`` names them, ``manifest`` lists them, and
``replacing`` puts the new folder in the place of the old one.

The rule of all of them: a static host gets the whole export or the earlier one, and serves under
each URL what the app would.
"""
