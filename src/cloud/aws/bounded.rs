//! Refuses an answer without end.
//!
//! The SDK reads an answer into memory whole, however long it is. A server that never stops sending would fill the memory before
//! the time for the call is over.

use aws_sdk_elasticloadbalancing::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_elasticloadbalancing::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_elasticloadbalancing::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// The largest answer, in bytes: a page of 400 balancers with 100 listeners each stays below half of it.
const LARGEST_ANSWER: usize = 32 << 20;

/// The limit, as a part of a client.
#[derive(Debug)]
pub(super) struct BoundedAnswers;

impl Intercept for BoundedAnswers {
    fn name(&self) -> &'static str {
        "BoundedAnswers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let limited =
            Limited::new(response.take_body(), LARGEST_ANSWER).map_err(|error| match error.is::<LengthLimitError>() {
                true => format!("it is larger than {} MiB", LARGEST_ANSWER >> 20).into(),
                false => error,
            });
        *response.body_mut() = SdkBody::from_body_1_x(limited);
        Ok(())
    }
}
