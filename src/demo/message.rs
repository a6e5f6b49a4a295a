//! What the page and the chat say to each other: one JSON object a message.

use serde::{Deserialize, Serialize};

/// The longest name, in characters.
const LONGEST_NAME: usize = 32;
/// The longest message, in characters.
const LONGEST_TEXT: usize = 1000;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Request {
    /// `{"say": "text"}`: to everybody.
    Say(String),
    /// `{"name": "new"}`: what it wants to be called.
    Name(String),
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    /// Somebody has come; to the newcomer with its address and everybody's names.
    Hello {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        people: Option<Vec<String>>,
    },
    /// Somebody has gone.
    Goodbye { name: String },
    /// Somebody is called something else now.
    Name { old: String, new: String },
    /// Somebody says something.
    Say { name: String, msg: String },
    /// What the client said cannot be done; only this client is told.
    Error(String),
}

impl Request {
    /// Reads a message. The error is for the client.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let request = serde_json::from_str(text)
            .map_err(|_| r#"this chat understands {"say": "text"} and {"name": "new"}"#.to_owned())?;
        match request {
            Request::Say(text) => one_line(&text, LONGEST_TEXT, "a message").map(Request::Say),
            Request::Name(name) => one_line(&name, LONGEST_NAME, "a name").map(Request::Name),
        }
    }
}

/// The text without blanks around it, if it can be shown on one line.
fn one_line(text: &str, longest: usize, what: &str) -> Result<String, String> {
    let text = text.trim();
    // Such marks turn the text around them, and with it whose name it seems to be.
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match text.chars().count() {
        0 => Err(format!("{what} needs at least one character")),
        length if length > longest => Err(format!("{what} has at most {longest} characters, not {length}")),
        _ if text.contains(|c: char| c.is_control() || turns(c)) => Err(format!("{what} has no control characters")),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_shown_is_understood() {
        assert_eq!(Request::parse(r#"{"say": " hi "}"#), Ok(Request::Say("hi".to_owned())));
        assert_eq!(Request::parse(r#"{"name": "Zoë"}"#), Ok(Request::Name("Zoë".to_owned())));
        let longest = format!(r#"{{"name": "{}"}}"#, "ö".repeat(LONGEST_NAME));
        assert!(Request::parse(&longest).is_ok());
        let says = |text: &str| Request::parse(text).expect_err("it is refused");
        assert_eq!(says(&longest.replacen('ö', "öö", 1)), "a name has at most 32 characters, not 33");
        assert_eq!(says(r#"{"say": "  "}"#), "a message needs at least one character");
        assert_eq!(says(r#"{"name": "a\u202eb"}"#), "a name has no control characters");
        assert_eq!(says(r#"{"say": "a\u0007"}"#), "a message has no control characters");
        for text in ["", "hello", "[]", r#"{"say": 7}"#, r#"{"say": "a", "name": "b"}"#, r#"{"shout": "a"}"#] {
            assert!(says(text).starts_with("this chat understands"), "{text}");
        }
    }
}
