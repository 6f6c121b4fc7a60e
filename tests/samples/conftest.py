"""Projects for other tests to copy and run elsewhere: nothing here is a test of this package."""

collect_ignore_glob = ["*"]
