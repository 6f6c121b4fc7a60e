"""The command check: all problems of the trees, without serving them.

``command`` has options and output, and ``checks`` makes a report for each tree. The other modules
have one subject each: ``handlers``, ``dependencies``, ``reachability`` (routes that no request
reaches), ``strays`` (files that look like routes), ``distributions`` (files that a wheel lacks).

A check is a generator of problems. What keeps an app from starting is reported by the extension
and not found here, so most checks are warnings about a tree that can be served.
"""
