//! The parameters of a request: a tree, as `Listeners.member.1.Protocol=HTTP` or a JSON object describes it, and typed
//! reading of it with the service's validation messages.
//!
//! This file must not know any action; each action says itself which members it has.

use std::collections::BTreeMap;
use std::fmt;

use super::error::ApiError;

/// The deepest path a request may have; the API needs 6.
const MAX_DEPTH: usize = 10;

/// The longest list a request may hold.
const MAX_LIST: usize = 1000;

/// A request's parameters: a value, members by name, or nothing.
///
/// Its `Debug` shows no values, since a request may carry a private key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    value: Option<String>,
    children: BTreeMap<String, Params>,
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Params").field("members", &self.children.keys()).finish_non_exhaustive()
    }
}

impl Params {
    /// Adds a value at a dotted path. Errors: a path that is malformed, too deep or given before.
    pub fn insert(&mut self, path: &str, value: impl Into<String>) -> Result<(), ApiError> {
        let mut node = self;
        for (depth, name) in path.split('.').enumerate() {
            if name.is_empty() || depth >= MAX_DEPTH {
                return Err(ApiError::validation(format!("The parameter name '{path}' is malformed")));
            }
            node = node.children.entry(name.to_owned()).or_default();
        }
        if node.value.replace(value.into()).is_some() {
            return Err(ApiError::validation(format!("The parameter '{path}' was given more than once")));
        }
        Ok(())
    }

    /// The same, for requests that are built here and not received: chains, and keeps the first value of a path.
    #[must_use]
    pub fn set(mut self, path: &str, value: impl Into<String>) -> Self {
        // A path that is written in this program is well formed, and none is given twice.
        let _ = self.insert(path, value);
        self
    }

    /// The text of a top-level parameter, if there is one; for what is needed before the action is known.
    pub fn top(&self, name: &str) -> Option<&str> {
        self.children.get(name)?.value.as_deref()
    }

    /// Starts reading. `members` are all that the action has; any other parameter is an error, since a misspelt parameter
    /// that is silently ignored is the hardest mistake to find.
    pub fn members(&self, members: &[&str]) -> Result<Reader<'_>, ApiError> {
        let reader = Reader { node: self, path: String::new() };
        reader.only(members)?;
        Ok(reader)
    }

    /// Starts reading without a list of members, for the services of which only a part is served.
    pub fn any_members(&self) -> Reader<'_> {
        Reader { node: self, path: String::new() }
    }
}

/// A place in the parameters, with its path for messages.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    node: &'a Params,
    path: String,
}

impl<'a> Reader<'a> {
    /// Refuses members that are not in the list. `Action` and `Version` are every request's own.
    pub fn only(&self, members: &[&str]) -> Result<(), ApiError> {
        let own = |name: &str| self.path.is_empty() && matches!(name, "Action" | "Version");
        match self.node.children.keys().find(|name| !members.contains(&name.as_str()) && !own(name)) {
            Some(name) => Err(ApiError::validation(format!("Unknown parameter '{}'", self.at(name)))),
            None => Ok(()),
        }
    }

    /// The path of a member, as the service spells it in messages: `healthCheck.interval`.
    pub fn at(&self, name: &str) -> String {
        let mut spelled = name.to_owned();
        if let Some(first) = spelled.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        if self.path.is_empty() { spelled } else { format!("{}.{spelled}", self.path) }
    }

    fn child(&self, name: &str) -> Option<&'a Params> {
        self.node.children.get(name)
    }

    /// An optional string.
    pub fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        match self.child(name) {
            None => Ok(None),
            Some(Params { value: Some(value), children }) if children.is_empty() => Ok(Some(value.clone())),
            Some(_) => Err(ApiError::validation(format!("The parameter '{}' must be a single value", self.at(name)))),
        }
    }

    /// A required string.
    pub fn required(&self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| ApiError::missing(&self.at(name)))
    }

    /// An optional whole number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number =
            text.parse().map_err(|_| ApiError::constraint(Some(&text), &self.at(name), "Member must be an integer"))?;
        Ok(Some(number))
    }

    /// An optional whole number within bounds.
    pub fn bounded<N: TryFrom<i64>>(&self, name: &str, least: i64, most: i64) -> Result<Option<N>, ApiError> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        let wrong = |constraint: String| ApiError::constraint(Some(&number.to_string()), &self.at(name), &constraint);
        if number < least {
            return Err(wrong(format!("Member must have value greater than or equal to {least}")));
        }
        let too_big = || wrong(format!("Member must have value less than or equal to {most}"));
        if number > most {
            return Err(too_big());
        }
        N::try_from(number).map(Some).map_err(|_| too_big())
    }

    /// A required whole number within bounds.
    pub fn required_bounded<N: TryFrom<i64>>(&self, name: &str, least: i64, most: i64) -> Result<N, ApiError> {
        self.bounded(name, least, most)?.ok_or_else(|| ApiError::missing(&self.at(name)))
    }

    /// A required port (1-65535).
    pub fn port(&self, name: &str) -> Result<u16, ApiError> {
        self.required_bounded(name, 1, 65535)
    }

    /// A required `true` or `false`.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let text = self.required(name)?;
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ApiError::constraint(Some(&text), &self.at(name), "Member must be true or false")),
        }
    }

    /// An optional structure.
    pub fn structure(&self, name: &str) -> Result<Option<Reader<'a>>, ApiError> {
        match self.child(name) {
            None => Ok(None),
            Some(node) if node.value.is_none() => Ok(Some(Reader { node, path: self.at(name) })),
            Some(_) => Err(ApiError::validation(format!("The parameter '{}' must be a structure", self.at(name)))),
        }
    }

    /// An optional list, `Name.member.N`. A bare `Name=` is the empty list, which is not the same as no list.
    pub fn list(&self, name: &str) -> Result<Option<Vec<Reader<'a>>>, ApiError> {
        let Some(node) = self.child(name) else { return Ok(None) };
        let malformed = || ApiError::validation(format!("The list '{}' must be given as {name}.member.N", self.at(name)));
        let members = match (node.value.as_deref(), node.children.get("member")) {
            (Some(""), None) if node.children.is_empty() => return Ok(Some(Vec::new())),
            (None, Some(member)) if node.children.len() == 1 && member.value.is_none() => member,
            _ => return Err(malformed()),
        };
        entries(members, &self.at(name), ".member").ok_or_else(malformed).map(Some)
    }

    /// A required list; it may be empty.
    pub fn required_list(&self, name: &str) -> Result<Vec<Reader<'a>>, ApiError> {
        self.list(name)?.ok_or_else(|| ApiError::missing(&self.at(name)))
    }

    /// A required list of strings; it may be empty.
    pub fn required_texts(&self, name: &str) -> Result<Vec<String>, ApiError> {
        self.texts(name)?.ok_or_else(|| ApiError::missing(&self.at(name)))
    }

    /// An optional list of strings.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        list.iter().map(Reader::own_text).collect::<Result<_, _>>().map(Some)
    }

    /// A list in EC2's flat form, `Name.N`; empty when it was not given.
    pub fn flat(&self, name: &str) -> Result<Vec<Reader<'a>>, ApiError> {
        let Some(node) = self.child(name) else { return Ok(Vec::new()) };
        entries(node, &self.at(name), "")
            .ok_or_else(|| ApiError::validation(format!("The list '{name}' must be given as {name}.N")))
    }

    /// The string that stands at this very place: an entry of a list of strings.
    pub fn own_text(&self) -> Result<String, ApiError> {
        match self.node {
            Params { value: Some(value), children } if children.is_empty() => Ok(value.clone()),
            _ => Err(ApiError::validation(format!("The parameter '{}' must be a single value", self.path))),
        }
    }
}

/// The entries of a list in the order of their numbers; `None` if the list is malformed or too long.
fn entries<'a>(list: &'a Params, path: &str, suffix: &str) -> Option<Vec<Reader<'a>>> {
    let mut numbered = BTreeMap::new();
    for (index, node) in &list.children {
        let number: u32 = index.parse().ok().filter(|number| *number > 0 && !index.starts_with(['0', '+']))?;
        numbered.insert(number, Reader { node, path: format!("{path}.{number}{suffix}") });
    }
    (list.value.is_none() && numbered.len() <= MAX_LIST).then(|| numbered.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_an_empty_list_and_not_an_absent_one() {
        let params = Params::default().set("PolicyNames", "");
        let reader = params.members(&["PolicyNames"]).unwrap();
        assert_eq!(reader.texts("PolicyNames").unwrap(), Some(vec![]));
        assert_eq!(reader.texts("Subnets").unwrap(), None);
    }

    #[test]
    fn entries_come_in_the_order_of_their_numbers() {
        let params = Params::default().set("A.member.10", "ten").set("A.member.9", "nine").set("A.member.1", "one");
        assert_eq!(params.any_members().texts("A").unwrap().unwrap(), ["one", "nine", "ten"]);
    }

    #[test]
    fn malformed_lists_paths_and_repeated_parameters_are_refused() {
        for params in [
            Params::default().set("A", "value"),
            Params::default().set("A.1", "not a member"),
            Params::default().set("A.member.0", "x"),
            Params::default().set("A.member.x", "x"),
            Params::default().set("A.member.01", "x"),
            Params::default().set("A.member.1", "x").set("A", ""),
        ] {
            assert_eq!(params.any_members().texts("A").unwrap_err().code, "ValidationError", "{params:?}");
        }
        let mut params = Params::default();
        assert!(params.insert("A..B", "x").is_err());
        assert!(params.insert("a.b.c.d.e.f.g.h.i.j.k", "x").is_err());
        params.insert("A", "x").unwrap();
        assert!(params.insert("A", "x").is_err());
    }

    #[test]
    fn messages_name_the_member_as_the_service_does() {
        let params = Params::default().set("HealthCheck.Interval", "4");
        let check = params.any_members().structure("HealthCheck").unwrap().unwrap();
        let error = check.required_bounded::<u32>("Interval", 5, 300).unwrap_err();
        assert_eq!(
            error.message,
            "1 validation error detected: Value '4' at 'healthCheck.interval' failed to satisfy constraint: \
             Member must have value greater than or equal to 5"
        );
        assert_eq!(check.required("Target").unwrap_err().message, ApiError::missing("healthCheck.target").message);
    }
}
