//! Paging: `Marker` and `PageSize` in, a page and `NextMarker` out.
//!
//! A marker says after which name to go on. It is opaque: it carries a check, so that one made up by a client is refused.

use data_encoding::BASE64URL_NOPAD;

use crate::sandbox::control::{ApiError, Reader, ids};

/// The largest page, which is also the one a client gets without asking.
const LARGEST: i64 = 400;

/// A page of something.
pub(super) struct Page<T> {
    /// What is on it.
    pub(super) entries: Vec<T>,
    /// The marker of the next page; `None` on the last.
    pub(super) next: Option<String>,
}

/// Cuts out the page that a request asks for. `name` gives an entry's name, which must be unique; the entries' order decides.
pub(super) fn page<T>(input: &Reader<'_>, entries: Vec<T>, name: impl Fn(&T) -> &str) -> Result<Page<T>, ApiError> {
    let size: usize = input.bounded("PageSize", 1, LARGEST)?.unwrap_or(LARGEST as usize);
    let first = match input.text("Marker")?.filter(|marker| !marker.is_empty()) {
        None => 0,
        Some(marker) => {
            let after = read(&marker).ok_or_else(|| ApiError::validation("The specified marker is not valid"))?;
            // What the marker names may be gone by now; entries come in the order of their names then as before.
            match entries.iter().position(|entry| name(entry) == after) {
                Some(position) => position + 1,
                None => entries.iter().position(|entry| name(entry) > after.as_str()).unwrap_or(entries.len()),
            }
        }
    };
    let more = entries.len() > first + size;
    let entries: Vec<T> = entries.into_iter().skip(first).take(size).collect();
    let next = entries.last().filter(|_| more).map(|entry| write(name(entry)));
    Ok(Page { entries, next })
}

fn write(name: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{}{name}", check(name)).as_bytes())
}

fn read(marker: &str) -> Option<String> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(marker.as_bytes()).ok()?).ok()?;
    let (given, name) = text.split_at_checked(8)?;
    (given == check(name)).then(|| name.to_owned())
}

fn check(name: &str) -> String {
    ids::hex(&["marker", name], 8)
}
