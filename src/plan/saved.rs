//! The plan file: plans that were shown, saved, and can be applied later, elsewhere, exactly as shown.
//!
//! A plan is a function of what was observed and what was asked for, so a file is checked by planning again from the two it
//! holds: a file edited by hand does not survive that.

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::{Plan, plan};

/// The version of the plan file's format; a file of another version is refused.
pub const FORMAT_VERSION: u32 = 1;

/// Plans for one account and region, as `plan --format json` prints and `plan --out` saves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanFile {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The version of elbws that made the plans.
    pub elbws_version: String,
    /// The account; absent when the plan was only printed.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Whether no plan has anything to do.
    pub no_op: bool,
    /// One plan for each balancer.
    pub plans: Vec<Plan>,
}

/// Why a plan file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SavedPlanError {
    /// It is no JSON, or no plan.
    #[error("it is not a plan: {0}")]
    NotAPlan(String),
    /// Its format is of another version.
    #[error("its format is version {0}, and this elbws reads version {FORMAT_VERSION}")]
    Format(u64),
    /// Another version of elbws made it.
    #[error("elbws {0} made it, and this is elbws {this}", this = env!("CARGO_PKG_VERSION"))]
    Version(String),
    /// It does not say what planning again says.
    #[error("its steps for balancer `{0}` do not follow from what it says was observed and asked for: it was edited")]
    Edited(String),
    /// It was printed, not saved.
    #[error("it names no account: it was printed with --format json, not saved")]
    NoAccount,
}

impl PlanFile {
    /// Bundles plans of one account and region.
    pub fn new(account: Option<String>, region: &str, plans: Vec<Plan>) -> Self {
        PlanFile {
            format_version: FORMAT_VERSION,
            elbws_version: env!("CARGO_PKG_VERSION").to_owned(),
            account,
            region: region.to_owned(),
            no_op: plans.iter().all(|plan| plan.no_op),
            plans,
        }
    }

    /// Reads a plan file, refusing one that is of another version or does not hold together.
    pub fn parse(text: &str) -> Result<Self, SavedPlanError> {
        let not_a_plan = |error: serde_json::Error| SavedPlanError::NotAPlan(error.to_string());
        let missing = |key: &str| SavedPlanError::NotAPlan(format!("`{key}` is missing or of the wrong type"));
        let file: Value = serde_json::from_str(text).map_err(not_a_plan)?;
        let version = file["format_version"].as_u64().ok_or_else(|| missing("format_version"))?;
        if version != u64::from(FORMAT_VERSION) {
            return Err(SavedPlanError::Format(version));
        }
        let made_by = file["elbws_version"].as_str().ok_or_else(|| missing("elbws_version"))?;
        if made_by != env!("CARGO_PKG_VERSION") {
            return Err(SavedPlanError::Version(made_by.to_owned()));
        }
        let account = file["account"].as_str().ok_or(SavedPlanError::NoAccount)?;
        let region = file["region"].as_str().ok_or_else(|| missing("region"))?;
        let mut plans = Vec::new();
        for saved in file["plans"].as_array().ok_or_else(|| missing("plans"))? {
            let before = serde_json::from_value(saved["before"].clone()).map_err(not_a_plan)?;
            let spec = serde_json::from_value(saved["spec"].clone()).map_err(not_a_plan)?;
            let name = saved["balancer"].as_str().unwrap_or_default().to_owned();
            let again = plan(&before, &spec).map_err(|_| SavedPlanError::Edited(name.clone()))?;
            if serde_json::to_value(&again).map_err(not_a_plan)? != *saved {
                return Err(SavedPlanError::Edited(name));
            }
            plans.push(again);
        }
        let read = PlanFile::new(Some(account.to_owned()), region, plans);
        match serde_json::to_value(&read).map_err(not_a_plan)? == file {
            true => Ok(read),
            false => Err(SavedPlanError::NotAPlan("it holds keys that a plan does not have".to_owned())),
        }
    }
}
