//! Writing replies as XML, as the query protocol and EC2's variant of it lay them out.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::sandbox::control::{ApiError, Element};

type Xml = Writer<Vec<u8>>;

/// A reply of the query protocol.
pub(super) fn query(action: &str, namespace: &str, id: &str, content: &Element) -> io::Result<String> {
    document(&format!("{action}Response"), Some(namespace), |xml| {
        write(xml, &format!("{action}Result"), content, "member")?;
        xml.create_element("ResponseMetadata").write_inner_content(|xml| text(xml, "RequestId", id))?;
        Ok(())
    })
}

/// An error of the query protocol.
pub(super) fn query_error(namespace: &str, id: &str, error: &ApiError) -> io::Result<String> {
    document("ErrorResponse", Some(namespace), |xml| {
        xml.create_element("Error").write_inner_content(|xml| {
            text(xml, "Type", if error.status < 500 { "Sender" } else { "Receiver" })?;
            text(xml, "Code", &error.code)?;
            text(xml, "Message", &error.message)
        })?;
        text(xml, "RequestId", id)
    })
}

/// A reply of EC2.
pub(super) fn ec2(action: &str, id: &str, content: &Element) -> io::Result<String> {
    document(&format!("{action}Response"), Some("http://ec2.amazonaws.com/doc/2016-11-15/"), |xml| {
        text(xml, "requestId", id)?;
        members(xml, content, "item")
    })
}

/// An error of EC2.
pub(super) fn ec2_error(id: &str, error: &ApiError) -> io::Result<String> {
    document("Response", None, |xml| {
        xml.create_element("Errors").write_inner_content(|xml| {
            xml.create_element("Error").write_inner_content(|xml| {
                text(xml, "Code", &error.code)?;
                text(xml, "Message", &error.message)
            })?;
            Ok(())
        })?;
        text(xml, "RequestID", id)
    })
}

fn document(root: &str, namespace: Option<&str>, content: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<String> {
    let mut xml = Writer::new(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec());
    let root = xml.create_element(root).with_attributes(namespace.map(|namespace| ("xmlns", namespace)));
    root.write_inner_content(content)?;
    String::from_utf8(xml.into_inner()).map_err(io::Error::other)
}

fn write(xml: &mut Xml, name: &str, element: &Element, entry: &str) -> io::Result<()> {
    match element {
        Element::Text(value) => text(xml, name, value),
        Element::Number(number) => text(xml, name, &number.to_string()),
        Element::Bool(flag) => text(xml, name, if *flag { "true" } else { "false" }),
        // Three digits of a second, as the services write it.
        Element::Time(moment) => text(xml, name, &format!("{moment:.3}")),
        Element::List(_) | Element::Struct(_) => {
            xml.create_element(name).write_inner_content(|xml| members(xml, element, entry))?;
            Ok(())
        }
    }
}

/// Writes what stands inside an element: the members of a structure, or the entries of a list.
fn members(xml: &mut Xml, element: &Element, entry: &str) -> io::Result<()> {
    match element {
        Element::List(list) => list.iter().try_for_each(|one| write(xml, entry, one, entry)),
        Element::Struct(members) => members.iter().try_for_each(|(name, value)| write(xml, name, value, entry)),
        _ => Ok(()),
    }
}

fn text(xml: &mut Xml, name: &str, value: &str) -> io::Result<()> {
    // What a client sent may come back in a message; XML cannot carry every character.
    let legal = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let value: String =
        value.chars().map(|c| if legal(c) && !matches!(c, '\u{fffe}' | '\u{ffff}') { c } else { '\u{fffd}' }).collect();
    xml.create_element(name).write_text_content(BytesText::new(&value))?;
    Ok(())
}
