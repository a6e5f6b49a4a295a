//! STS: `GetCallerIdentity`, which every new user of the AWS CLI tries first.

use super::{ApiError, Element, Request, World};

pub(crate) fn get_caller_identity(world: &World, request: &Request) -> Result<Element, ApiError> {
    request.params.members(&[])?;
    Ok(Element::new()
        .with("Arn", format!("arn:aws:iam::{}:user/sandbox", world.account))
        .with("UserId", "AIDASANDBOXSANDBOXSBX")
        .with("Account", &world.account))
}
