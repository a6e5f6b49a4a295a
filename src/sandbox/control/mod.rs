//! The API as a state machine: `(world, request) -> (world, reply)`.
//!
//! Everything here is synchronous and deterministic: no socket, no runtime, no clock (a request carries its moment), no
//! randomness. How requests arrive and replies leave is the business of `sandbox::http`.

mod acm;
mod actions;
pub mod certificates;
mod ec2;
mod elb;
mod element;
mod error;
mod iam;
mod ids;
pub mod network;
mod params;
mod sts;
mod switches;
mod world;

pub use actions::{ACTIONS, Action, Effect, Service};
pub use elb::{POLICY_QUOTA, negotiation_attributes};
pub use element::Element;
pub use error::ApiError;
pub use ids::uuid;
use jiff::Timestamp;
pub use params::{Params, Reader};
pub use switches::{BooleanEcho, DeletedListener, IdenticalPolicy, InstanceProtocolDefault, Switches, UnusedInstancePort};
pub use world::{InstanceHealth, InstanceState, LoadBalancer, Region, World, is_region};

/// One call of the API.
#[derive(Debug, Clone)]
pub struct Request {
    /// The region, from the credential scope.
    pub region: String,
    /// The action's parameters.
    pub params: Params,
    /// When the call was made.
    pub at: Timestamp,
}

/// What a call leads to.
#[derive(Debug)]
pub struct Outcome {
    /// The state after the call; `None` if it is the state before.
    pub world: Option<World>,
    /// What is answered.
    pub reply: Result<Element, ApiError>,
}

/// Answers a request. A call that fails changes nothing, however far it got.
pub fn answer(world: &World, action: &Action, request: &Request) -> Outcome {
    match action.effect {
        Effect::Read(read) => Outcome { world: None, reply: read(world, request) },
        Effect::Write(_) => {
            let mut next = world.clone();
            match perform(&mut next, action, request) {
                Ok(reply) => Outcome { world: Some(next), reply: Ok(reply) },
                Err(error) => Outcome { world: None, reply: Err(error) },
            }
        }
    }
}

/// Carries a request out on a state of one's own, which is worth nothing any more if the call fails. Building up a large state
/// would otherwise copy it at every step.
pub fn perform(world: &mut World, action: &Action, request: &Request) -> Result<Element, ApiError> {
    match action.effect {
        Effect::Read(read) => read(world, request),
        Effect::Write(write) => {
            world.open_region(&request.region)?;
            write(world, request)
        }
    }
}
