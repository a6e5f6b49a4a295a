//! One error at the edge: a message, hints, and the exit code it stands for.

use crate::apply::PrecheckError;
use crate::cloud::{CloudError, CloudErrorKind};
use crate::model::Malformed;
use crate::plan::PlanError;

/// Exit codes, the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed, and nothing changed.
    Failed = 1,
    /// Changes are pending (`plan --detailed-exitcode`), or there are findings (`audit --fail-on`).
    Pending = 2,
    /// Stopped part-way; run again to converge.
    PartWay = 3,
    /// The saved plan is stale.
    Stale = 4,
    /// The command line is wrong.
    Usage = 64,
    /// Interrupted before anything changed.
    Interrupted = 130,
}

/// What a person is told, and the exit code.
#[derive(Debug)]
pub(super) struct CliError {
    /// What happened, to which balancer, and why; may have several lines.
    pub(super) message: String,
    /// What to do next.
    pub(super) hints: Vec<String>,
    /// The exit code.
    pub(super) exit: Exit,
}

impl CliError {
    /// A failure that changed nothing.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        CliError { message: message.into(), hints: Vec::new(), exit: Exit::Failed }
    }

    /// A command line that clap could not see to be wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        CliError { exit: Exit::Usage, ..CliError::failed(message) }
    }

    /// The same with one more hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A spec that cannot be met on a balancer.
    pub(super) fn plan(balancer: &str, error: &PlanError) -> Self {
        CliError::failed(format!("balancer `{balancer}`: {error}")).hint(error.hint())
    }

    /// A call that failed before anything changed.
    pub(super) fn cloud(balancer: &str, error: &CloudError) -> Self {
        with_cloud_hints(CliError::failed(format!("balancer `{balancer}`: {error}")), error)
    }

    /// A plan that would fail half-way.
    pub(super) fn precheck(balancer: &str, error: &PrecheckError) -> Self {
        let base = CliError::failed(format!("balancer `{balancer}`: {error}"));
        match error {
            PrecheckError::NoCertificate(_) => {
                base.hint("`aws acm list-certificates` and `aws iam list-server-certificates` list those there are")
            }
            PrecheckError::OtherRegion { .. } => base.hint("request or import the certificate in the balancer's region"),
            PrecheckError::Unchecked { source, .. } => {
                let reason = base.message.clone();
                with_cloud_hints(CliError { message: format!("{reason}\n{source}"), ..base }, source)
            }
            PrecheckError::Cloud(source) => with_cloud_hints(base, source),
        }
    }
}

/// Adds what to do about a failed call.
pub(super) fn with_cloud_hints(error: CliError, cause: &CloudError) -> CliError {
    match cause.kind {
        CloudErrorKind::AccessDenied => error.hint(format!("allow the action {} in the caller's IAM policy", cause.action)),
        CloudErrorKind::Credentials => error.hint(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a --profile, or run `aws sso login`; \
             `--sandbox` needs no credentials",
        ),
        CloudErrorKind::Throttled => error.hint("the account's API rate is used up: wait a minute and run again"),
        CloudErrorKind::Unreachable => error.hint("check the network, --region and --endpoint-url, then run again"),
        CloudErrorKind::BadReply => error.hint(
            "something else than the service may be answering: check --endpoint-url, AWS_ENDPOINT_URL and the proxy, then run again",
        ),
        CloudErrorKind::ServiceFault => error.hint("run again; if it persists, quote the request id to AWS support"),
        _ => error,
    }
}

/// What goes wrong around a command, with files and formats: the chain of causes is all there is to say.
impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        CliError::failed(format!("{error:#}"))
    }
}

impl From<Malformed> for CliError {
    fn from(error: Malformed) -> Self {
        CliError::usage(error.to_string())
    }
}
