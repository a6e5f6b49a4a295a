//! The content of a reply, before it becomes XML or JSON.
//!
//! A reply is a tree of named members, as the service's model describes it. Which bytes it becomes is decided elsewhere.

use jiff::Timestamp;

/// One value of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A moment: ISO 8601 in XML, seconds since 1970 in JSON.
    Time(Timestamp),
    /// A list; written with an element per entry.
    List(Vec<Element>),
    /// A structure: members in the order they are written.
    Struct(Vec<(&'static str, Element)>),
}

impl Element {
    /// A structure without members.
    pub fn new() -> Self {
        Element::Struct(Vec::new())
    }

    /// Adds a member.
    pub fn with(mut self, name: &'static str, value: impl Into<Element>) -> Self {
        if let Element::Struct(members) = &mut self {
            members.push((name, value.into()));
        }
        self
    }

    /// Adds a member where there is a value for it.
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Element>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A list of strings.
    pub fn texts<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Self {
        Element::List(values.into_iter().map(|value| Element::Text(value.into())).collect())
    }

    /// A list of anything that can be a value.
    pub fn list<T: Into<Element>>(values: impl IntoIterator<Item = T>) -> Self {
        Element::List(values.into_iter().map(Into::into).collect())
    }
}

impl Default for Element {
    fn default() -> Self {
        Element::new()
    }
}

impl From<&str> for Element {
    fn from(text: &str) -> Self {
        Element::Text(text.to_owned())
    }
}

impl From<&String> for Element {
    fn from(text: &String) -> Self {
        Element::Text(text.clone())
    }
}

impl From<String> for Element {
    fn from(text: String) -> Self {
        Element::Text(text)
    }
}

impl From<u16> for Element {
    fn from(number: u16) -> Self {
        Element::Number(number.into())
    }
}

impl From<u32> for Element {
    fn from(number: u32) -> Self {
        Element::Number(number.into())
    }
}

impl From<bool> for Element {
    fn from(flag: bool) -> Self {
        Element::Bool(flag)
    }
}

impl From<Timestamp> for Element {
    fn from(moment: Timestamp) -> Self {
        Element::Time(moment)
    }
}
