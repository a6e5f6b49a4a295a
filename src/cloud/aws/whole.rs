//! Refuses half an answer.
//!
//! The SDK reads a document that stops in the middle as if the rest had never been meant to come: a balancer with fewer
//! listeners and policies than it has. What is read here decides what is deleted, so every successful answer of the services
//! that speak XML (Classic ELB, EC2, IAM) must be one whole document.

use aws_sdk_elasticloadbalancing::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_elasticloadbalancing::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_elasticloadbalancing::error::BoxError;
use quick_xml::Reader;
use quick_xml::events::Event;

/// The check, as a part of the client.
#[derive(Debug)]
pub(super) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        match response.body().bytes() {
            Some(body) if response.status().is_success() && context.output_or_error().is_ok() => {
                whole(body).map_err(Into::into)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the text is one XML document from its first to its last tag.
fn whole(document: &[u8]) -> Result<(), &'static str> {
    const HALF: &str = "the document stops in the middle";
    let mut reader = Reader::from_reader(document);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Ok(Event::Empty(_)) => roots += usize::from(depth == 0),
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) if depth > 0 => return Err(HALF),
            Ok(Event::Eof) if roots == 1 => return Ok(()),
            Ok(Event::Eof) => return Err("it is not one XML document"),
            Ok(_) => {}
            Err(quick_xml::Error::Syntax(_)) => return Err(HALF),
            Err(_) => return Err("it is not well-formed XML"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn every_beginning_of_a_document_is_refused() {
        let document = r#"<?xml version="1.0"?><A xmlns="x"><B>1 &amp; 2</B><C/></A>"#;
        assert_eq!(whole(document.as_bytes()), Ok(()));
        for end in 0..document.len() {
            assert!(whole(&document.as_bytes()[..end]).is_err(), "{}", &document[..end]);
        }
        assert!(whole(b"<A></B>").is_err());
        assert!(whole(b"<A/><A/>").is_err());
    }
}
