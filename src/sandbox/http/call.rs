//! From an HTTP request to a call: which service and action, for which region, with which parameters.

use axum::http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::reply::{TARGET, Wire};
use super::scope::Scope;
use crate::sandbox::control::{Action, ApiError, Params, Request, Service};
use crate::sandbox::log::LogEntry;

/// The most parameters a request may have.
const MAX_PARAMS: usize = 3000;

/// What the target header begins with for ACM.
const ACM_TARGET: &str = "CertificateManager.";

/// A request whose service, action and region are known.
pub(super) struct Call {
    pub(super) wire: Wire,
    pub(super) action: &'static Action,
    pub(super) request: Request,
}

impl Call {
    /// Reads a request. An error comes with the form in which the client expects it.
    pub(super) fn read(headers: &HeaderMap, body: &[u8], at: Timestamp) -> Result<Self, (Wire, ApiError)> {
        let wire = Wire::of_headers(headers);
        let scope = Scope::of(headers).map_err(|error| (wire, error))?;
        let (wire, service, name, params) = match wire {
            Wire::Json => read_json(headers, body).map_err(|error| (wire, error))?,
            _ => {
                let params = read_form(body).map_err(|error| (wire, error))?;
                let (service, name) = read_action(&params).map_err(|error| (wire, error))?;
                (Wire::of_service(service), service, name, params)
            }
        };
        scope.check(service).map_err(|error| (wire, error))?;
        let Some(action) = Action::find(service, &name) else {
            let service = service.signing_name();
            let message =
                format!("The action {name} is not valid for this endpoint: the sandbox does not serve it for {service}");
            let code = if wire == Wire::Json { "UnknownOperationException" } else { "InvalidAction" };
            return Err((wire, ApiError::new(code, message)));
        };
        Ok(Call { wire, action, request: Request { region: scope.region, params, at } })
    }

    /// Writes into a log entry what may be written: never a parameter's value, except a balancer's name.
    pub(super) fn describe(&self, entry: &mut LogEntry) {
        entry.service = Some(self.action.service.signing_name().to_owned());
        entry.action = Some(self.action.name.to_owned());
        entry.region = Some(self.request.region.clone());
        entry.mutating = self.action.is_mutating();
        let names = self.request.params.any_members().texts("LoadBalancerNames").ok().flatten();
        let only = names.filter(|names| names.len() == 1).and_then(|mut names| names.pop());
        let name = self.request.params.top("LoadBalancerName").map(str::to_owned).or(only);
        entry.balancer = name.filter(|name| name.len() <= 64);
    }
}

/// The service and the action's name, from the `Version` and `Action` of the query protocol.
fn read_action(params: &Params) -> Result<(Service, String), ApiError> {
    let missing = |name: &str| ApiError::new("MissingAction", format!("The request must contain the parameter {name}"));
    let name = params.top("Action").ok_or_else(|| missing("Action"))?;
    let version = params.top("Version").ok_or_else(|| missing("Version"))?;
    let unknown = || ApiError::new("InvalidAction", format!("Could not find operation {name} for version {version}"));
    Ok((Service::of_version(version).ok_or_else(unknown)?, name.to_owned()))
}

fn read_form(body: &[u8]) -> Result<Params, ApiError> {
    let mut params = Params::default();
    for (number, (path, value)) in form_urlencoded::parse(body).enumerate() {
        if number == MAX_PARAMS {
            return Err(ApiError::validation(format!("A request has at most {MAX_PARAMS} parameters")));
        }
        params.insert(&path, value)?;
    }
    Ok(params)
}

fn read_json(headers: &HeaderMap, body: &[u8]) -> Result<(Wire, Service, String, Params), ApiError> {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    let unknown = || ApiError::new("UnknownOperationException", format!("The target {target} is not one of ACM"));
    let name = target.strip_prefix(ACM_TARGET).ok_or_else(unknown)?;
    let malformed = || ApiError::new("SerializationException", "The body is not a JSON object");
    let body: Value = serde_json::from_slice(body).map_err(|_| malformed())?;
    if !body.is_object() {
        return Err(malformed());
    }
    let mut params = Params::default();
    insert_json(&mut params, "", &body, &mut 0)?;
    Ok((Wire::Json, Service::Acm, name.to_owned(), params))
}

/// Puts a JSON value under a path, in the form the query protocol has for it.
fn insert_json(params: &mut Params, path: &str, value: &Value, count: &mut usize) -> Result<(), ApiError> {
    *count += 1;
    if *count > MAX_PARAMS {
        return Err(ApiError::validation(format!("A request has at most {MAX_PARAMS} parameters")));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => Ok(()),
        Value::Bool(flag) => params.insert(path, flag.to_string()),
        Value::Number(number) => params.insert(path, number.to_string()),
        Value::String(text) => params.insert(path, text),
        Value::Array(list) if list.is_empty() => params.insert(path, ""),
        Value::Array(list) => (1..)
            .zip(list)
            .try_for_each(|(number, one): (u32, _)| insert_json(params, &below(&format!("member.{number}")), one, count)),
        Value::Object(members) => members.iter().try_for_each(|(name, one)| insert_json(params, &below(name), one, count)),
    }
}
