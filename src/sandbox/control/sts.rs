//! STS: `GetCallerIdentity`, which every new user of the AWS CLI tries first, and `AssumeRole` within the account.

use jiff::SignedDuration;

use super::{ApiError, Element, Request, World, ids};

pub(crate) fn get_caller_identity(world: &World, request: &Request) -> Result<Element, ApiError> {
    request.params.members(&[])?;
    Ok(Element::new()
        .with("Arn", format!("arn:aws:iam::{}:user/sandbox", world.account))
        .with("UserId", "AIDASANDBOXSANDBOXSBX")
        .with("Account", &world.account))
}

/// Any role of the sandbox's own account may be taken on; it changes nothing, since the sandbox checks no permissions.
pub(crate) fn assume_role(world: &World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.any_members();
    let (arn, session) = (input.required("RoleArn")?, input.required("RoleSessionName")?);
    let account = arn.split(':').nth(4).unwrap_or_default();
    let name = arn.split_once(":role/").map(|(_, path)| path.rsplit('/').next().unwrap_or_default()).unwrap_or_default();
    if name.is_empty() {
        return Err(ApiError::validation(format!("{arn} is invalid")));
    }
    if account != world.account {
        let caller = format!("arn:aws:iam::{}:user/sandbox", world.account);
        let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}");
        return Err(ApiError::with_status("AccessDenied", 403, message));
    }
    let key = ids::hex(&[&arn, &session], 16).to_ascii_uppercase();
    let credentials = Element::new()
        .with("AccessKeyId", format!("ASIA{key}"))
        .with("SecretAccessKey", "sandbox")
        .with("SessionToken", "sandbox")
        .with("Expiration", request.at + SignedDuration::from_hours(1));
    let user = Element::new()
        .with("AssumedRoleId", format!("AROA{key}:{session}"))
        .with("Arn", format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"));
    Ok(Element::new().with("Credentials", credentials).with("AssumedRoleUser", user))
}
