-- Runs each time the app starts, so every statement can be repeated.

CREATE TABLE IF NOT EXISTS bookmark (
    -- An id is never used twice: clients of the event stream continue after the last one.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    notes TEXT NOT NULL,
    created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    updated TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);

CREATE TABLE IF NOT EXISTS tag (
    bookmark_id INTEGER NOT NULL REFERENCES bookmark ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (bookmark_id, name)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS tag_name ON tag (name);

CREATE VIEW IF NOT EXISTS tagged_bookmark AS
SELECT
    bookmark.*,
    (SELECT json_group_array(name) FROM tag WHERE bookmark_id = bookmark.id) AS tags
FROM bookmark;
