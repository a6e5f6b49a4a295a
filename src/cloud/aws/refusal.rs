//! Reads an error answer that the SDK cannot read.
//!
//! A refusal quotes what it refuses, and some services quote control characters as they came, which XML does not allow. The SDK then
//! says only that the document is none; the code in it decides whether something changed, so it is worth a second look. Nothing
//! but errors is read this way.

use serde::Deserialize;

/// What the service said no with. Both parts are text from outside.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Refusal {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(rename = "Error")]
    error: Refusal,
}

/// The error that a document holds, if it is an `ErrorResponse` with a code.
pub(super) fn refusal(document: &[u8]) -> Option<Refusal> {
    let document = String::from_utf8_lossy(document);
    let ErrorResponse { error } = quick_xml::de::from_str(&document).ok()?;
    let named = super::whole::root(document.as_bytes()).is_some_and(|root| root == "ErrorResponse");
    (named && !error.code.is_empty()).then_some(error)
}

#[cfg(test)]
mod tests {
    use super::{Refusal, refusal};

    #[test]
    fn control_characters_do_not_hide_the_code() {
        let document =
            b"<ErrorResponse><Error><Type>Sender</Type><Code>TooManyTags</Code><Message>\x1b[31mno\x07 \xff</Message>\
            </Error><RequestId>r</RequestId></ErrorResponse>";
        let (code, message) = ("TooManyTags".to_owned(), "\u{1b}[31mno\u{7} \u{fffd}".to_owned());
        assert_eq!(refusal(document), Some(Refusal { code, message }));
    }

    #[test]
    fn what_is_no_error_is_none() {
        for document in [
            "",
            "<html>\u{1b}</html>",
            "<Other><Error><Code>A</Code></Error></Other>",
            "<ErrorResponse><Error><Code/></Error></ErrorResponse>",
            "<ErrorResponse><Error><Code>Half</Co",
        ] {
            assert_eq!(refusal(document.as_bytes()), None, "{document}");
        }
    }
}
