//! Plan + Cloud -> outcome: makes the calls of a plan, and says what happens as it happens.
//!
//! It decides nothing about *what* to do; that is in the plan. It knows which failures pass by themselves, puts a listener back
//! that could not be replaced, stops where it was told to stop, and reads again at the end. It never prints.

mod event;
mod precheck;
mod retry;
mod run;
mod second_look;
mod stop;
mod verification;

pub use event::Event;
pub use precheck::{PrecheckError, precheck};
pub use run::{Applying, Ending, Outcome, apply};
pub use second_look::{SecondLookError, second_look};
pub use stop::{Level, Stop, StopSwitch};
