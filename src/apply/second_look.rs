//! Looks twice before a listener is made where none was seen.
//!
//! A reading is several calls, so it can fall between a listener and its journal: the listing from before it was made again, the
//! tags from after its journal went. Such a listener would be taken for a new one and lose its policies. The calls of a second
//! reading see what the first one saw or what came later, so it is rarely torn at the same place; where the service shows changes
//! late enough it still can be.

use thiserror::Error;

use crate::cloud::{Cloud, CloudError};
use crate::plan::{Plan, PlanError, plan};

/// The second look came to nothing.
#[derive(Debug, Error)]
pub enum SecondLookError {
    /// What is asked for cannot be planned from what is there now.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The balancer could not be read again.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// The plan; made again from another reading, if it adds a listener.
pub async fn second_look(cloud: &impl Cloud, made: Plan) -> Result<Plan, SecondLookError> {
    if !made.adds_listener() {
        return Ok(made);
    }
    let live = cloud.read(&made.balancer).await?;
    Ok(plan(&live, &made.spec)?)
}
