"""Where the responses of static handlers are kept: in this process or in a shared server."""
