//! Refuses half an answer, and one of another API.
//!
//! The SDK reads a document that stops in the middle as if the rest had never been meant to come: a balancer with fewer
//! listeners and policies than it has. What is read here decides what is deleted, so every successful answer of the services
//! that speak XML (Classic ELB, EC2, IAM) must be one whole document. Those of Classic ELB must not be of another version either: the API of
//! Application Load Balancers has actions of the same names at the same address.

use aws_sdk_elasticloadbalancing::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_elasticloadbalancing::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_elasticloadbalancing::error::BoxError;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, Reader};

/// The check, as a part of the client.
#[derive(Debug)]
pub(super) struct WholeAnswers {
    /// The namespace that answers must be in, without the slash at its end; absent where any will do.
    pub(super) namespace: Option<&'static str>,
}

/// The namespace of the answers of Classic ELB.
pub(super) const CLASSIC: &str = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01";

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
                whole(body, self.namespace).map_err(Into::into)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the text is one XML document from its first to its last tag, and in no other namespace than the given one.
fn whole(document: &[u8], namespace: Option<&str>) -> Result<(), &'static str> {
    const HALF: &str = "the document stops in the middle";
    let mut reader = NsReader::from_reader(document);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                if depth == 0 && namespace.is_some_and(|namespace| is_of_another(&reader, namespace)) {
                    return Err("it is of another API than that of Classic Load Balancers");
                }
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

/// The name of a document's outermost element, if it is a document.
pub(super) fn root(document: &[u8]) -> Option<String> {
    let mut reader = Reader::from_reader(document);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => {
                return Some(element.name().as_ref().to_owned());
            }
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Compatible services may leave the namespace out, or the slash at its end.
fn is_of_another(reader: &NsReader<&[u8]>, namespace: &str) -> bool {
    match reader.resolver().resolve_prefix(None, true) {
        ResolveResult::Bound(Namespace(name)) => name.strip_suffix('/').unwrap_or(name) != namespace,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{CLASSIC, whole};

    #[test]
    fn every_beginning_of_a_document_is_refused() {
        let document = r#"<?xml version="1.0"?><A a="x"><B>1 &amp; 2</B><C/></A>"#;
        assert_eq!(whole(document.as_bytes(), Some(CLASSIC)), Ok(()));
        for end in 0..document.len() {
            assert!(whole(&document.as_bytes()[..end], Some(CLASSIC)).is_err(), "{}", &document[..end]);
        }
        assert!(whole(b"<A></B>", Some(CLASSIC)).is_err());
        assert!(whole(b"<A/><A/>", Some(CLASSIC)).is_err());
    }

    #[test]
    fn only_the_namespace_of_the_api_is_accepted() {
        let version = |version: &str| format!(r#"<A xmlns="http://elasticloadbalancing.amazonaws.com/doc/{version}"></A>"#);
        assert_eq!(whole(version("2012-06-01/").as_bytes(), Some(CLASSIC)), Ok(()));
        assert_eq!(whole(version("2012-06-01").as_bytes(), Some(CLASSIC)), Ok(()));
        assert_eq!(whole(b"<A></A>", Some(CLASSIC)), Ok(()));
        assert!(whole(version("2015-12-01/").as_bytes(), Some(CLASSIC)).is_err());
    }
}
