"""GitHub and git: events, action inputs, runner commands, comments, commits. The only edge that knows a forge."""
