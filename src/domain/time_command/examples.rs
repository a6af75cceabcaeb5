//! The lines that the help in Slack and the documentation page show. A test types each of them.

/// Four lines that cover most needs, as they stand after `/time`.
pub const LOGGING: [&str; 4] = [
    "2.5 hours: Meeting",
    "1h30 #acme wireframes",
    "9-11:30 workshop",
    "yesterday 45 min: code review",
];

/// Lines after `/time`, and what they lead to. An empty line is `/time` alone.
pub const BESIDES: [(&[&str], &str); 9] = [
    (&[""], "a form"),
    (&["start icon set", "stop"], "a timer"),
    (&["today", "week", "month"], "your totals"),
    (&["export last month"], "your entries as a CSV file"),
    (&["edit"], "your last entries, to change or delete"),
    (&["projects", "link #acme"], "what you log to"),
    (&["prefs"], "your day, your zone, when messages come"),
    (&["undo"], "takes the last change back"),
    (&["? 9-12, 13-17"], "how it would be read; saves nothing"),
];
