//! From a reply to an HTTP response, in the form each service's clients expect.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Number, Value};

use super::xml;
use crate::sandbox::control::{ApiError, Element, Service};

/// The header that names the action in the JSON protocol.
pub(super) const TARGET: &str = "x-amz-target";

/// The form of requests and replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// The query protocol of ELB, IAM and STS, with its namespace.
    Query(&'static str),
    /// EC2's variant of it.
    Ec2,
    /// JSON 1.1, which ACM speaks.
    Json,
}

const ELB: Wire = Wire::Query("http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/");
const IAM: Wire = Wire::Query("https://iam.amazonaws.com/doc/2010-05-08/");
const STS: Wire = Wire::Query("https://sts.amazonaws.com/doc/2011-06-15/");

impl Wire {
    /// The form that a request's headers announce. For the query protocols the service is not known yet: it is ELB's then.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        if headers.contains_key(TARGET) { Wire::Json } else { ELB }
    }

    /// The form that a service speaks.
    pub(super) fn of_service(service: Service) -> Self {
        match service {
            Service::Elb => ELB,
            Service::Iam => IAM,
            Service::Sts => STS,
            Service::Ec2 => Wire::Ec2,
            Service::Acm => Wire::Json,
        }
    }

    /// An error with the code that this form has for it: what the query protocol calls an error, JSON calls an exception.
    pub(super) fn name(self, error: ApiError) -> ApiError {
        match self {
            Wire::Json if error.code == "ValidationError" => ApiError { code: "ValidationException".to_owned(), ..error },
            _ => error,
        }
    }
}

/// Writes a reply.
pub(super) fn write(wire: Wire, action: &str, id: &str, outcome: Result<Element, ApiError>) -> Response {
    let status = outcome.as_ref().map_or_else(|error| error.status, |_| 200);
    let (kind, body) = match (wire, &outcome) {
        (Wire::Query(namespace), Ok(content)) => ("text/xml", xml::query(action, namespace, id, content)),
        (Wire::Query(namespace), Err(error)) => ("text/xml", xml::query_error(namespace, id, error)),
        (Wire::Ec2, Ok(content)) => ("text/xml;charset=UTF-8", xml::ec2(action, id, content)),
        (Wire::Ec2, Err(error)) => ("text/xml;charset=UTF-8", xml::ec2_error(id, error)),
        (Wire::Json, Ok(content)) => ("application/x-amz-json-1.1", Ok(json(content).to_string())),
        (Wire::Json, Err(error)) => ("application/x-amz-json-1.1", Ok(json_error(error))),
    };
    let Ok(body) = body else {
        // Writing into memory does not fail; if it did, this is what a server says.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, [(CONTENT_TYPE, kind)], body).into_response();
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

fn json(element: &Element) -> Value {
    match element {
        Element::Text(text) => Value::String(text.clone()),
        Element::Number(number) => Value::Number((*number).into()),
        Element::Bool(flag) => Value::Bool(*flag),
        Element::Time(moment) => {
            Number::from_f64(moment.as_millisecond() as f64 / 1000.0).map_or(Value::Null, Value::Number)
        }
        Element::List(list) => Value::Array(list.iter().map(json).collect()),
        Element::Struct(members) => {
            Value::Object(members.iter().map(|(name, value)| ((*name).to_owned(), json(value))).collect::<Map<_, _>>())
        }
    }
}

fn json_error(error: &ApiError) -> String {
    serde_json::json!({ "__type": error.code, "message": error.message }).to_string()
}
